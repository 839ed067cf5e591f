// Build the prebuilt JupyterLab extension with Jupyter's own builder, which needs no JupyterLab here, only the
// list of the packages that a lab shares.
import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { labextension, root } from './paths.mjs';

const require = createRequire(import.meta.url);
const builder = require.resolve('@jupyter/builder/lib/build-labextension.js');
const core = join(
  dirname(createRequire(builder).resolve('@jupyterlab/core-meta/package.json')),
  'core.package.json'
);

const { status } = spawnSync(process.execPath, [builder, '--core-package-file', core, root], {
  cwd: root,
  stdio: 'inherit'
});
if (status !== 0) {
  process.exit(status ?? 1);
}

// JupyterLab's extension manager reads here which Python package an extension came with.
cpSync(join(root, 'install.json'), join(labextension, 'install.json'));
const built = JSON.parse(readFileSync(join(labextension, 'package.json'), 'utf8'));
if (!built.jupyterlab?._build?.load) {
  console.error('labextension: the builder wrote no entry point into dist/jaxlab/package.json');
  process.exit(1);
}
