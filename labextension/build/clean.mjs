// Remove everything that a build makes, so that no file of an older build is shipped.
import { rmSync } from 'node:fs';
import { dist, lib, widgetStatic } from './paths.mjs';

for (const folder of [lib, dist, widgetStatic]) {
  rmSync(folder, { recursive: true, force: true });
}
