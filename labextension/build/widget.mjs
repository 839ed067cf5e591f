// Bundle the live widget into the one ES module that anywidget hands to a front end.
import { build } from 'esbuild';
import { join } from 'node:path';
import { root, widgetStatic } from './paths.mjs';

await build({
  entryPoints: [join(root, 'src', 'widget.ts')],
  outfile: join(widgetStatic, 'widget.js'),
  bundle: true,
  format: 'esm',
  target: 'es2022',
  minify: true,
  legalComments: 'inline',
  loader: { '.css': 'text', '.svg': 'text' },
  logLevel: 'info'
});
