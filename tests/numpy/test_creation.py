"""Creation of arrays against jax: values, dtypes, weak types, and the errors of what cannot be an array."""

from __future__ import annotations

import pytest
from jax_process import assert_agrees

VALUES = [
    "jnp.array(np.float64(1.5))",
    "jnp.array([[]])",
    "jnp.array([1,2],dtype='float16')",
    "jnp.array(3,ndmin=2)",
    "jnp.array(np.ones((2,2)),copy=False)",
    "jnp.array([1,2],order='F')",
    "jnp.array([1,2],order='Q')",
    "jnp.array(range(3))",
    "jnp.array((1,2))",
    "jnp.array({1,2})",
    "jnp.array(iter([1]))",
    "jnp.array(b'ab')",
    "jnp.array(np.array(['a']))",
    "jnp.array(np.array([1],dtype=object))",
    "jnp.array(np.datetime64('2020'))",
    "jnp.array([np.ones(2),np.zeros(3)])",
    "jnp.array([jnp.ones(2),jnp.zeros(3)])",
    "jnp.array([True,2,3.5,1j])",
    "jnp.array([1,None])",
    "jnp.array([2**31])",
    "jnp.array(2**31)",
    "jnp.array(2**31,dtype='uint32')",
    "jnp.array([2**31],dtype='uint32')",
    "jnp.array(-1,dtype='uint8')",
    "jnp.array([-1],dtype='uint8')",
    "jnp.array(300,dtype='int8')",
    "jnp.array([300],dtype='int8')",
    "jnp.array(np.array([2**40]))",
    "jnp.array(np.int64(2**40))",
    "jnp.array(1e300)",
    "jnp.array([1e300])",
    "jnp.array(np.float64(1),dtype=np.float64)",
    "jnp.array(1.5,dtype=bool)",
    "jnp.array(1+2j,dtype='float32')",
    "jnp.array([1+2j],dtype='float32')",
    "jnp.array(np.array([1+2j]),dtype='float32')",
    "jnp.array(np.complex64(1+2j),dtype='float32')",
    "jnp.array(jnp.array([1.5]),dtype=int)",
    "jnp.array(jnp.array(1+2j),dtype='float32')",
    "jnp.asarray(jnp.arange(3),dtype='float32')",
    "jnp.asarray(np.arange(3))",
    "jnp.asarray([1,2],copy=False)",
    "jnp.asarray(np.ones(3,'float32'),copy=False)",
    "jnp.asarray(jnp.ones(3),copy=False)",
    "jnp.asarray(jnp.ones(3),dtype=int,copy=False)",
    "jnp.asarray(1,dtype=object)",
    "jnp.asarray(1,dtype='U3')",
    "jnp.zeros((2,3),dtype='int4')",
    "jnp.zeros(np.int32(3))",
    "jnp.zeros(jnp.array(3))",
    "jnp.zeros([2,3])",
    "jnp.zeros(np.array([2,3]))",
    "jnp.zeros(())",
    "jnp.zeros((2,-1))",
    "jnp.full((2,2),jnp.array([1,2]))",
    "jnp.full((2,2),[1,2])",
    "jnp.full(3,True)",
    "jnp.full(3,1j)",
    "jnp.full(3,2.5,dtype=int)",
    "jnp.full((2,3),jnp.ones(2))",
    "jnp.full(2,np.float32(2))",
    "jnp.full_like(jnp.arange(3),2.5)",
    "jnp.full_like(jnp.ones((2,3)),jnp.arange(3))",
    "jnp.full_like(jnp.arange(3),2,shape=(2,))",
    "jnp.full_like(3,2.5)",
    "jnp.full_like([1,2],2)",
    "jnp.zeros_like(jnp.arange(3),dtype=float)",
    "jnp.zeros_like(np.arange(3,dtype='int8'))",
    "jnp.empty_like(jnp.ones(2))",
    "jnp.empty((2,),dtype=int)",
    "jnp.arange(3,dtype=None)",
    "jnp.arange(0,10,3)",
    "jnp.arange(10,0,-3)",
    "jnp.arange(1.5,5)",
    "jnp.arange(0,1,0.1)",
    "jnp.arange(5,2)",
    "jnp.arange(np.float32(3))",
    "jnp.arange(3,dtype='int8')",
    "jnp.arange(1j)",
    "jnp.arange('a')",
    "jnp.arange(jnp.array(3))",
    "jnp.arange(jnp.array(3),10)",
    "jnp.arange(2,jnp.array(7.),dtype=int)",
    "jnp.arange(None)",
    "jnp.arange(2,None)",
    "jnp.arange(0.,3.,1)",
    "jnp.arange(300,dtype='int8')",
    "jnp.arange(3.9,dtype=int)",
    "jnp.arange(0,1,0.1,dtype='float16')",
    "jnp.arange(0,5,2,dtype=float)",
    "jnp.arange(True)",
    "jnp.linspace(0,1,5)",
    "jnp.linspace(0,1)",
    "jnp.linspace(1,0,3)",
    "jnp.linspace(0,1,5,endpoint=False)",
    "jnp.linspace(0,1,5,retstep=True)",
    "jnp.linspace(0,1,1,retstep=True)",
    "jnp.linspace(0,1,0,retstep=True)",
    "jnp.linspace(0,10,4,dtype=int)",
    "jnp.linspace(-10,0,4,dtype=int)",
    "jnp.linspace(0,1j,3)",
    "jnp.linspace(np.zeros(2),np.ones((3,2)),4)",
    "jnp.linspace(np.zeros(2),np.ones((3,2)),4,axis=-1)",
    "jnp.linspace(0,1,2.5)",
    "jnp.linspace(jnp.array(0,'float16'),1,3)",
    "jnp.linspace(0,1,3,dtype=bool)",
    "jnp.linspace('a',1,3)",
    "jnp.logspace(0,2,3)",
    "jnp.logspace(0,2,3,base=2)",
    "jnp.logspace(0,2,3,dtype=int)",
    "jnp.geomspace(1,1000,4)",
    "jnp.geomspace(-1,-1000,4)",
    "jnp.geomspace(1,1000,3,endpoint=False)",
    "jnp.geomspace(1j,1000j,4)",
    "jnp.eye(3,dtype=int)",
    "jnp.eye(2,3,k=-1)",
    "jnp.eye(3,k=jnp.array(1))",
    "jnp.eye(3,k=5)",
    "jnp.eye(3,k=1.5)",
    "jnp.eye(0)",
    "jnp.identity(3,dtype=bool)",
    "jnp.identity(-1)",
    "jnp.tri(3,4,1,dtype=int)",
    "jnp.tri(2,k=-1)",
    "jnp.tril(jnp.ones((3,3)),k=1)",
    "jnp.tril(jnp.ones((2,3,3)))",
    "jnp.triu(jnp.ones((3,3)),k=-1)",
    "jnp.triu(jnp.ones((3,3),bool))",
    "jnp.tril(jnp.ones(3))",
    "jnp.diag(jnp.arange(3),k=-1)",
    "jnp.diag(jnp.ones((2,3)),k=1)",
    "jnp.diag(jnp.array(1))",
    "jnp.diag(jnp.ones((2,2,2)))",
    "jnp.diag(jnp.ones((2,3)),k=5)",
    "jnp.diagflat(jnp.ones((2,2)),k=1)",
    "jnp.diagflat(3)",
    "jnp.meshgrid(jnp.arange(2),jnp.arange(3))",
    "jnp.meshgrid(jnp.arange(2),jnp.arange(3),indexing='ij')",
    "jnp.meshgrid(jnp.arange(2),jnp.arange(3),indexing='xx')",
    "jnp.meshgrid(jnp.arange(2),jnp.arange(3),copy=False)",
    "jnp.meshgrid(jnp.arange(2))",
    "jnp.meshgrid()",
    "jnp.meshgrid(1,2)",
    "jnp.meshgrid(jnp.ones((2,2)),jnp.arange(2))",
    "jnp.indices((2,3),dtype=float)",
    "jnp.indices(())",
    "jnp.indices((2,3),sparse=True)",
    "jnp.copy(np.arange(3))",
    "jnp.copy(3)",
    "jnp.copy([1,2])",
    "jnp.frombuffer(b'12345678',dtype='int32',count=1,offset=4)",
    "jnp.frombuffer(b'12345678')",
    "jnp.fromfunction(lambda i,j:i*j,(2,3))",
    "jnp.fromfunction(lambda i:i*2,(3,),dtype=int)",
    "jnp.from_dlpack(np.arange(3,dtype='float32'))",
    "jnp.fromiter([1,2],dtype=int)",
    "jnp.fromstring('1 2',sep=' ')",
    "jnp.int_(3)",
    "jnp.float64(1)",
    "jnp.bfloat16(1.5)",
    "jnp.bool_([0,1])",
    "jnp.uint8(300)",
    "jnp.astype(jnp.arange(3),float)",
    "jnp.astype(jnp.array([1+2j]),float)",
    "jnp.arange(3).astype('bool')",
    "jnp.array([1.5,-1.5]).astype('uint8')",
    "jnp.arange(3).astype(None)",
    "jnp.isdtype(jnp.float32,'real floating')",
    "jnp.int32 == jnp.int32",
    "jnp.float32 in [np.float32]",
    "jnp.issubdtype(jnp.bfloat16,jnp.floating)",
    "jnp.promote_types('int8','uint8')",
    "jnp.dtype(jnp.float32)",
    "jnp.zeros(3,dtype=jnp.bfloat16)",
    "jnp.size(jnp.ones((2,3)),(0,1))",
    "jnp.size(jnp.ones((2,3)),5)",
    "jnp.array(jnp.float32)",
    "jnp.array([[1,2],[3,4]]).dtype",
]

JAXPRS = [
    f"jaxpr(lambda: {source})"
    for source in """\
jnp.zeros(3);jnp.zeros((2,3),int);jnp.ones(());jnp.full((2,),3.0,'int32');jnp.full((),2.5);jnp.full((2,3),jnp.arange(3))
jnp.arange(5);jnp.arange(5.);jnp.arange(2,7);jnp.arange(2,7,2);jnp.arange(0,1,.25);jnp.arange(2,7,dtype='float32');jnp.arange(3,0,-1)
jnp.linspace(0,1,5);jnp.linspace(0,1,5,endpoint=False);jnp.linspace(0,1,1);jnp.linspace(0,1,0);jnp.linspace(0,10,5,dtype=int)
jnp.linspace(0,1,5,retstep=True);jnp.linspace(np.zeros(2),np.ones(2),3);jnp.linspace(np.zeros(2),np.ones(2),3,axis=1)
jnp.logspace(0,1,5);jnp.geomspace(1,100,3);jnp.eye(3);jnp.eye(3,4,k=1,dtype=int);jnp.tri(3);jnp.tri(3,4,-1)
jnp.indices((2,3),sparse=True);jnp.array(1);jnp.array([1,2]);jnp.array(np.ones(3));jnp.array([]);jnp.array(1,dtype='float32')
jnp.array(3,ndmin=2);jnp.array([jnp.array(1),2.0]);jnp.int32(2.7);jnp.float32([1,2]);jnp.array(jnp.arange(3))
jnp.array((jnp.ones(2),jnp.zeros(2)));jnp.meshgrid(jnp.arange(2),jnp.arange(3.))\
""".replace("\n", ";").split(";")
]
JAXPRS += [
    f"jaxpr(lambda x: {source}, {x})"
    for x, sources in {
        "f32(3)": "jnp.array(x);jnp.asarray(x);jnp.array([x,x]);jnp.array([x,x],dtype='int32');jnp.array(x,dtype='int32');"
        "jnp.zeros_like(x);jnp.ones_like(x,dtype='int32');jnp.full_like(x,2.5,dtype=int);jnp.zeros_like(x,shape=(4,));"
        "jnp.copy(x);jnp.float32(x);jnp.int32(x);jnp.diag(x);jnp.diag(x,1);jnp.array(x,ndmin=2);jnp.astype(x,int);"
        "x.astype('float32')",
        "f32(2,3)": "jnp.tril(x);jnp.triu(x,1);jnp.array([x,x])",
        "np.float32(2)": "jnp.array([x,1]);jnp.array([1,x,2.5]);jnp.array([[x,1],[2,x]]);jnp.linspace(0,x,4);"
        "jnp.full((3,),x);jnp.full((3,),x,'int32')",
    }.items()
    for source in sources.split(";")
]
JAXPRS += [
    "jaxpr(lambda x: jnp.linspace(x, x, 4), f32(3))",
    "jaxpr(lambda x: jnp.logspace(x, 2, 4), f32(3))",
    "jaxpr(lambda x: jnp.geomspace(x, 2, 4), f32(3))",
    "jaxpr(lambda x: jnp.arange(x), np.float32(2))",
]


@pytest.mark.parametrize("expression", VALUES)
def test_value(expression: str) -> None:
    assert_agrees(expression, VALUES, atol=1e-6)


@pytest.mark.parametrize("expression", JAXPRS)
def test_jaxpr(expression: str) -> None:
    assert_agrees(expression, JAXPRS)


WIDE = [
    "jnp.zeros(2)",
    "jnp.arange(3)",
    "jnp.array([1, 2.5])",
    "jnp.array(2**40)",
    "jnp.int64(3)",
    "jnp.float32(1)",
    "jnp.array(1)",
]


@pytest.mark.parametrize("expression", WIDE)
def test_in_64_bits(expression: str) -> None:
    assert_agrees(expression, WIDE, x64=True)
