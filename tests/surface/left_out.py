"""What of jax's public surface is not here, or is called in another way, each with the reason.

The lists are exact: the test fails for a name that is missing and not listed, and for one that is listed and there.
"""

from __future__ import annotations

DEVICES = "arrays over several devices: a later issue"
NUMPY = "NumPy's functions and indexing: a later issue"
OPERATIONS = "an operation that no transformation needs: a later issue"
WRAPPED = "works on functions wrapped by jax's own machinery; `jax.jvp` and `jax.linearize` are for users"
EFFECTS = "effects follow from the parameters of an equation: the method `effects` of a class says which"
REWRITING = "rules that rewrite equations: methods of a class (docs/extending.md)"
OWN_MACHINERY = "machinery of jax's own implementation, not for users"
HIGH_TYPES = "types of one's own and their changing state: experimental in jax, in no issue"
IN_ONE_PLACE = "is made by the functions that return it, from other parts than jax's"
RENAMED = "deprecated in jax, with a warning"
SYMBOLIC = "symbolic dimensions: the dimensions of this language are integers"
TOKENS = "tokens: programs order their effects themselves"

NAMES: dict[str, dict[str, str]] = {
    "": {
        DEVICES: "NamedSharding P Shard auto_pcast distributed make_array_from_callback "
        "make_array_from_process_local_data make_array_from_single_device_arrays make_mesh memory pmap "
        "remove_size_one_mesh_axis_from_type reshard set_mesh shard_map sharding smap thread_guard",
        NUMPY: "ds image ops scipy",
        RENAMED: "host_count host_id host_ids lib",
        OWN_MACHINERY: "jax2tf_associative_scan_reductions",
        "exchange with other runtimes and profiles: a later issue": "dlpack ffi profiler",
        "sums of 16-bit floats cannot be forbidden: the option is for one experiment of jax's": "allow_f16_reductions",
        "keys always have a dtype of their own": "enable_custom_prng",
    },
    "api_util": {OWN_MACHINERY: "argnums_partial donation_vector flatten_axes rebase_donate_argnums"},
    "custom_derivatives": {OWN_MACHINERY: "remat_opt_p"},
    "debug": {
        DEVICES: "inspect_array_sharding visualize_array_sharding visualize_sharding",
        "an effect is a value of `jaxlab.extend.core.Effect`": "DebugEffect OrderedDebugEffect",
    },
    "experimental": {
        HIGH_TYPES: "EArray cur_qdd primal_tangent_dtype",
        "the cache on disk is on, and its options are in docs/options.md": "compilation_cache",
    },
    "export": {SYMBOLIC: "SymbolicScope is_symbolic_dim symbolic_args_specs symbolic_shape"},
    "extend.core": {
        TOKENS: "AbstractToken Token",
        OWN_MACHINERY: "CallPrimitive DropVar TraceTag array_types call_impl gensym",
    },
    "extend.core.primitives": {
        TOKENS: "after_all_p create_token_p",
        OPERATIONS: "approx_top_k_p bessel_i0e_p bessel_i1e_p cholesky_p eig_p eigh_p fft_p hessenberg_p "
        "householder_product_p igamma_grad_a_p igamma_p igammac_p lu_p qr_p random_gamma_p "
        "regularized_incomplete_beta_p rng_bit_generator_p rng_uniform_p schur_p select_and_scatter_p svd_p "
        "triangular_solve_p tridiagonal_p tridiagonal_solve_p",
        "orders floats totally, for sorting; `sort` does it itself": "eq_to_p le_to_p lt_to_p",
        DEVICES: "ragged_all_to_all_p sharding_constraint_p",
        "a call is a jit": "call_p closed_call_p",
    },
    "interpreters.ad": {WRAPPED: "jvp linearize"},
    "interpreters.batching": {
        "containers of one's own along the mapped axis: experimental in jax": "register_vmappable unregister_vmappable",
    },
    "interpreters.mlir": {
        OWN_MACHINERY: "AxisContext ConstantHandler DEVICE_TO_DEVICE_TYPE LoweringParameters LoweringResult Mesh "
        "MeshAxisName ModuleContext RECV_FROM_HOST_TYPE SEND_TO_HOST_TYPE SPMDAxisContext "
        "ShapePolyLoweringState ShardingContext Token TokenSet Value aval_to_ir_type aval_to_ir_types "
        "core_call_lowering dense_int_array dense_int_elements dtype_to_ir_type emit_python_callback "
        "flatten_ir_types flatten_ir_values i32_attr i64_attr ir ir_attribute ir_constant ir_constants "
        "ir_tree_registry ir_type_handlers jaxpr_subcomp lower_jaxpr_to_fun lower_jaxpr_to_module "
        "lowerable_effects make_ir_context merge_mlir_modules module_to_bytecode module_to_string "
        "register_constant_handler shape_tensor token_type unflatten_ir_values_like_types"
    },
    "interpreters.partial_eval": {
        REWRITING: "custom_partial_eval_rules dce_rules partial_eval_jaxpr_custom_rules",
        OWN_MACHINERY: "DynamicJaxprTracer JaxprTracer Val dce_jaxpr_call_rule dce_jaxpr_closed_call_rule "
        "dce_jaxpr_consts",
    },
    "interpreters.xla": {OWN_MACHINERY: "Backend apply_primitive canonicalize_dtype_handlers"},
    "lax": {
        OPERATIONS: "ConvGeneralDilatedDimensionNumbers DotAlgorithm DotAlgorithmPreset DotDimensionNumbers FftType "
        "PrecisionLike RaggedDotDimensionNumbers RandomAlgorithm approx_max_k approx_min_k approx_top_k_p bessel_i0e "
        "bessel_i0e_p bessel_i1e bessel_i1e_p betainc broadcast_like composite conv_general_dilated_local "
        "conv_general_shape_tuple conv_shape_tuple conv_transpose_shape_tuple dtype fft fft_p igamma igamma_grad_a "
        "igamma_grad_a_p igamma_p igammac igammac_p index_take linalg mulhi mulhi_p ragged_dot ragged_dot_general "
        "random_gamma_grad reduce_window_shape_tuple regularized_incomplete_beta_p rng_bit_generator "
        "rng_bit_generator_p rng_uniform rng_uniform_p scaled_dot scatter_apply select_and_scatter_p shape_as_value",
        "orders floats totally, for sorting; `sort` does it itself": "eq_to_p le_to_p lt_to_p",
        DEVICES: "precv psend ragged_all_to_all ragged_all_to_all_p sharding_constraint_p with_sharding_constraint",
        TOKENS: "after_all after_all_p create_token create_token_p",
        OWN_MACHINERY: "dce_sink dce_sink_p stage stage_p",
    },
}

SIGNATURES: dict[str, dict[str, str]] = {
    "": {
        "it cannot be made by calling it, and says so": "Array",
        IN_ONE_PLACE: "Ref",
        DEVICES: "ShapeDtypeStruct jit",
        RENAMED: "local_devices",
        "without a value it says in words that one is needed": "transfer_guard",
    },
    "api_util": {
        "what only jax's own caches and messages ask for": "debug_info flatten_fun flatten_fun_nokwargs"
    },
    "core": {
        "the one class of types is `ShapedArray`": "AbstractValue",
        DEVICES: "ShapedArray",
        "a trace knows its parent": "Trace",
        "equations that are run again always keep their source": "eval_jaxpr",
    },
    "debug": {"options of a debugger in a browser that jax has and this has not": "breakpoint"},
    "errors": {"they are made like the class of Python that they are": "JAXIndexError JAXTypeError"},
    "export": {IN_ONE_PLACE: "DisabledSafetyCheck Exported"},
    "extend.core": {
        IN_ONE_PLACE: "DebugInfo Jaxpr JaxprEqn",
        "one class, told apart by its fields": "Effect",
        "what jax needs is given, but may be left out": "ClosedJaxpr Primitive",
        HIGH_TYPES: "Var",
        DEVICES: "unmapped_aval",
        "an equation has no context: the options that it depends on are parameters": "new_jaxpr_eqn",
        "leaks are looked for by the option check_tracer_leaks": "set_current_trace",
    },
    "interpreters.ad": {IN_ONE_PLACE: "JVPTrace"},
    "interpreters.mlir": {IN_ONE_PLACE: "LoweringRuleContext"},
    "interpreters.partial_eval": {
        "a pair, which Python makes of one iterable": "PartialVal",
        "options of jax's own staging": "trace_to_jaxpr_dynamic",
    },
    "ref": {IN_ONE_PLACE: "Ref"},
    "stages": {IN_ONE_PLACE: "Compiled Lowered Traced"},
}

_TRACERS = {
    OWN_MACHINERY: "dimension_as_value full_lower get_referent to_concrete_value",
    "what only a value on a device has": "delete is_deleted on_device_size_in_bytes to_device unsafe_buffer_pointer",
    DEVICES: "addressable_data",
    NUMPY: "argpartition byteswap",
}

ATTRIBUTES: dict[str, dict[str, str]] = {
    "Traced": {HIGH_TYPES: "lojax"},
    "ClosedJaxpr": {HIGH_TYPES: "final_aval_qdds in_aval_qdds is_high", OWN_MACHINERY: "map_jaxpr"},
    "Jaxpr": {HIGH_TYPES: "final_aval_qdds in_aval_qdds is_high"},
    "JaxprEqn": {"an equation has no context: the options that it depends on are parameters": "ctx"},
    "Var": {HIGH_TYPES: "final_qdd initial_qdd", "variables have names in programs only": "pretty_print"},
    "Literal": {OWN_MACHINERY: "hash", "literals are written in programs only": "pretty_print"},
    "DebugInfo": {
        OWN_MACHINERY: "__contains__ __getitem__ __iter__ __len__ assert_arg_names assert_result_paths count "
        "filter_arg_names filter_result_paths index replace_func_name resolve_result_paths safe_arg_names "
        "safe_result_paths set_result_paths with_unknown_names",
        "where the function stands is not kept; its equations know": "func_filename func_lineno func_src_info",
        "every program is traced for its function": "traced_for",
    },
    "Primitive": {
        EFFECTS: "def_effectful_abstract_eval def_effectful_abstract_eval2",
        OWN_MACHINERY: "bind_with_trace call_primitive def_bind_with_trace ref_allocating ref_primitive "
        "skip_canonicalization",
        HIGH_TYPES: "is_high to_lojax",
    },
    "ShapedArray": {
        "jax keeps the methods of arrays on their types, for dispatch": "T all any argmax argmin argpartition argsort "
        "astype at broadcast byteswap choose clip compress conj conjugate copy cumprod cumsum diagonal dot flat "
        "flatten imag item mT max mean min nonzero prod ptp ravel real repeat reshape round searchsorted sort squeeze "
        "std sum swapaxes take to_device trace transpose var view",
        DEVICES: "manual_axis_type mat memory_space nospec shard sharding unshard update_manual_axis_type",
        HIGH_TYPES: "at_least_vspace array_abstraction_level dec_rank has_qdd inc_rank is_high leading_axis_spec "
        "lo_ty lo_ty_qdd lower_val lower_val2 normalize raise_val raise_val2 vspace_add",
        "tangents and cotangents have one type": "to_ct_aval",
        "`update` does it": "update_weak_type",
    },
    "ShapeDtypeStruct": {DEVICES: "format manual_axis_type", "`update` does it": "like"},
    "Ref": {DEVICES: "format"},
    "Array": {DEVICES: "addressable_data format", NUMPY: "argpartition byteswap"},
    "jit tracer": {
        **_TRACERS,
        HIGH_TYPES: "aval_mutable_qdd cur_qdd mutable_qdd",
        "machinery of one class of tracers": "get_const parent val",
    },
    "grad tracer": {**_TRACERS, HIGH_TYPES: "cur_qdd"},
    "vmap tracer": {**_TRACERS, "machinery of one class of tracers": "batch_dim source_info val"},
    "checkify.Error": {"an error is a pytree by registration": "tree_flatten tree_unflatten"},
}

METHODS: dict[str, dict[str, str]] = {
    "Lowered": {DEVICES: "compile"},
    "ClosedJaxpr": {"one notation, that of jax's default": "pretty_print"},
    "Jaxpr": {"one notation, that of jax's default": "pretty_print"},
    "JaxprEqn": {"it replaces the fields that an equation has here, by keyword as in jax": "replace"},
    "ShapedArray": {
        "always short, as programs are printed": "str_short",
        "it replaces the fields that a type has here, by keyword": "update",
    },
    "Array": {DEVICES: "repeat"},
    "VJP": {"the program that the function runs": "fun"},
    "jit tracer": {"it is an error in both": "tobytes"},
    "grad tracer": {"it is an error in both": "tobytes"},
    "vmap tracer": {"it is an error in both": "tobytes"},
}
