/**
 * The style of the view. It travels with the view, because an output may stand in a document or shadow root that no
 * style sheet of ours reaches. Colours are the host's own (JupyterLab, VS Code); where there are none, mixtures with
 * the text's colour, which are right on light and on dark.
 */
import { HUES } from './hues';

const hueRules = HUES.map((colour, hue) => `.jaxlab-Record .jl-hue-${hue} { --jl-hue: ${colour}; }`).join('\n');

export const STYLE = `
.jaxlab-Record {
  --jl-text: var(--jp-content-font-color1, var(--vscode-foreground, currentColor));
  --jl-accent: var(--jp-brand-color1, var(--vscode-focusBorder, #1976d2));
  --jl-error: var(--jp-error-color1, var(--vscode-errorForeground, #d32f2f));
  --jl-warning: var(--jp-warn-color1, var(--vscode-editorWarning-foreground, #e65100));
  --jl-faint: color-mix(in srgb, var(--jl-text) 65%, transparent);
  --jl-border: color-mix(in srgb, var(--jl-text) 22%, transparent);
  --jl-shade: color-mix(in srgb, var(--jl-text) 6%, transparent);
  --jl-ground: var(--jp-layout-color0, var(--vscode-editor-background, var(--colab-primary-surface-color, Canvas)));
  --jl-mono: var(--jp-code-font-family, var(--vscode-editor-font-family, ui-monospace, monospace));
  container-type: inline-size;
  color: var(--jl-text);
  font: 13px/1.4 var(--jp-ui-font-family, var(--vscode-font-family, system-ui, sans-serif));
  margin: 2px 0;
}
.jaxlab-Record * { box-sizing: border-box; }
.jaxlab-Record [hidden] { display: none !important; }
.jaxlab-Record button { font: inherit; color: inherit; background: none; border: 1px solid transparent; border-radius: 3px; cursor: pointer; margin: 0; }
.jaxlab-Record :focus-visible { outline: var(--jp-focus-outline-width, 2px) solid var(--jp-focus-outline-color, var(--jl-accent)); outline-offset: -1px; }
.jaxlab-Record .jl-line { display: flex; gap: 6px; width: 100%; padding: 3px 4px; text-align: left; font-size: 12px; color: var(--jl-faint); font-variant-numeric: tabular-nums; }
.jaxlab-Record .jl-line:hover { background: var(--jl-shade); }
.jaxlab-Record .jl-chevron { flex: none; width: 10px; }
.jaxlab-Record .jl-chevron::before { content: '▸'; }
.jaxlab-Record [aria-expanded='true'] .jl-chevron::before { content: '▾'; }
.jaxlab-Record .jl-figure { unicode-bidi: isolate; }
.jaxlab-Record .jl-tone-name { color: var(--jl-text); font-family: var(--jl-mono); font-weight: 600; overflow-wrap: anywhere; }
.jaxlab-Record .jl-tone-news { color: var(--jl-text); }
.jaxlab-Record .jl-tone-error { color: var(--jl-error); font-weight: 600; }
.jaxlab-Record .jl-tone-warning { color: var(--jl-warning); }
.jaxlab-Record .jl-body { margin: 4px 0 6px; }
.jaxlab-Record .jl-problem { margin: 4px 0; padding: 4px 8px; border-left: 3px solid var(--jl-warning); background: var(--jl-shade); overflow-wrap: anywhere; }
.jaxlab-Record .jl-problem-error { border-left-color: var(--jl-error); }
.jaxlab-Record .jl-note { margin: 0; padding: 8px; color: var(--jl-faint); overflow-wrap: anywhere; }
.jaxlab-Record .jl-faint { flex: 0 1 auto; min-width: 0; overflow: hidden; color: var(--jl-faint); white-space: nowrap; text-overflow: ellipsis; }
.jaxlab-Record .jl-toolbar { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 4px; margin-bottom: 4px; }
.jaxlab-Record .jl-toggles { display: flex; flex-wrap: wrap; gap: 4px; }
.jaxlab-Record .jl-toggle { padding: 1px 8px; font-size: 12px; color: var(--jl-faint); border-color: var(--jl-border); }
.jaxlab-Record .jl-toggle:hover { background: var(--jl-shade); }
.jaxlab-Record .jl-toggle:is([aria-pressed='true'], [aria-selected='true']) { color: var(--jl-text); background: color-mix(in srgb, var(--jl-accent) 16%, transparent); border-color: color-mix(in srgb, var(--jl-accent) 55%, transparent); }
.jaxlab-Record .jl-panes { display: flex; min-height: 120px; overflow: auto hidden; resize: vertical; border: 1px solid var(--jl-border); border-radius: 3px; }
.jaxlab-Record .jl-pane { display: flex; flex: 1 1 0; flex-direction: column; min-width: 150px; min-height: 0; }
.jaxlab-Record .jl-panes > .jl-pane-empty { flex: 0 1 170px; }
.jaxlab-Record .jl-pane-head { display: flex; align-items: center; gap: 8px; height: 25px; padding: 0 2px 0 8px; font-size: 12px; border-bottom: 1px solid var(--jl-border); background: var(--jl-shade); }
.jaxlab-Record .jl-pane-title { flex: 0 1 auto; font-weight: 600; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; unicode-bidi: isolate; }
.jaxlab-Record .jl-lit-note { flex: 1 0 auto; white-space: nowrap; text-align: right; color: var(--jl-accent); }
.jaxlab-Record .jl-tool { display: inline-flex; flex: none; align-items: center; justify-content: center; width: 22px; height: 20px; padding: 0; color: var(--jl-faint); }
.jaxlab-Record .jl-tool:hover { color: var(--jl-text); background: var(--jl-shade); }
.jaxlab-Record .jl-search { display: flex; align-items: center; gap: 6px; padding: 2px 6px; border-bottom: 1px solid var(--jl-border); }
.jaxlab-Record .jl-search-input { flex: 1; min-width: 0; font: inherit; font-size: 12px; color: inherit; background: transparent; border: 1px solid var(--jl-border); border-radius: 2px; padding: 0 4px; }
.jaxlab-Record .jl-search-note { font-size: 12px; color: var(--jl-faint); white-space: nowrap; }
.jaxlab-Record .jl-pane-body { display: flex; flex: 1; min-height: 0; }
.jaxlab-Record .jl-list { position: relative; flex: 1; min-width: 0; overflow: auto; font-family: var(--jl-mono); font-size: 12px; line-height: 18px; cursor: default; overflow-anchor: none; }
.jaxlab-Record .jl-rows { position: relative; width: 100%; }
.jaxlab-Record .jl-row { background: var(--jl-tint, transparent); position: absolute; left: 0; display: flex; min-width: 100%; width: max-content; height: 18px; white-space: pre; }
.jaxlab-Record .jl-number, .jaxlab-Record .jl-glyph, .jaxlab-Record .jl-mark { flex: none; user-select: none; color: var(--jl-faint); font-size: 11px; }
.jaxlab-Record .jl-gutter { position: sticky; left: 0; z-index: 1; display: flex; flex: none; margin-right: 6px; background: linear-gradient(var(--jl-tint, transparent) 0 0), var(--jl-ground); }
.jaxlab-Record .jl-number { min-width: 27px; padding-right: 3px; text-align: right; }
.jaxlab-Record .jl-glyph { width: 12px; text-align: center; color: var(--jl-text); }
.jaxlab-Record .jl-mark { width: 31px; padding-right: 3px; text-align: right; border-right: 3px solid transparent; overflow: hidden; }
.jaxlab-Record .jl-text { unicode-bidi: isolate; direction: ltr; padding-right: 12px; }
.jaxlab-Record .jl-label { --jl-tint: var(--jl-shade); font-weight: 600; }
.jaxlab-Record .jl-label .jl-gutter { display: none; }
.jaxlab-Record .jl-label .jl-text { padding-left: 8px; }
.jaxlab-Record .jl-tints .jl-tinted { --jl-tint: color-mix(in srgb, var(--jl-hue) 13%, transparent); }
.jaxlab-Record .jl-tints .jl-tinted .jl-mark { border-right-color: var(--jl-hue); }
.jaxlab-Record .jl-row.jl-lit { --jl-tint: color-mix(in srgb, var(--jl-hue, var(--jl-accent)) 42%, transparent); }
.jaxlab-Record .jl-row.jl-lit-weak { --jl-tint: color-mix(in srgb, var(--jl-accent) 18%, transparent); }
.jaxlab-Record .jl-row.jl-selected { --jl-tint: color-mix(in srgb, var(--jl-accent) 30%, transparent); }
.jaxlab-Record .jl-row.jl-active { outline: 1px solid var(--jl-accent); outline-offset: -1px; }
.jaxlab-Record .jl-row.jl-error .jl-gutter { box-shadow: inset 3px 0 0 var(--jl-error); }
.jaxlab-Record .jl-row.jl-warning .jl-gutter { box-shadow: inset 3px 0 0 var(--jl-warning); }
.jaxlab-Record .jl-row.jl-error { --jl-tint: color-mix(in srgb, var(--jl-error) 18%, transparent); }
.jaxlab-Record .jl-overview { flex: none; width: 10px; height: 100%; cursor: pointer; color: var(--jl-text); border: 0 solid; border-left-color: var(--jl-accent); border-right-color: var(--jl-warning); background: var(--jl-shade); }
.jaxlab-Record .jl-splitter { flex: none; width: 5px; cursor: col-resize; touch-action: none; background: var(--jl-border); }
.jaxlab-Record .jl-splitter:hover { background: var(--jl-accent); }
.jaxlab-Record .jl-status { min-height: 20px; padding: 2px 4px; font-size: 12px; color: var(--jl-faint); overflow-wrap: anywhere; }
.jaxlab-Record .jl-match { background: color-mix(in srgb, #ffd54f 60%, transparent); outline: 1px solid var(--jl-warning); }
.jaxlab-Record .jl-cut { color: var(--jl-faint); font-style: italic; }
.jaxlab-Record .jl-token-comment { color: var(--jl-faint); }
.jaxlab-Record .jl-token-keyword { color: var(--jp-mirror-editor-keyword-color, color-mix(in srgb, #1b8a3a 70%, var(--jl-text))); }
.jaxlab-Record .jl-token-operation { color: var(--jp-mirror-editor-def-color, color-mix(in srgb, #2f6fde 70%, var(--jl-text))); }
.jaxlab-Record .jl-token-name { color: color-mix(in srgb, #2a7fa8 55%, var(--jl-text)); }
.jaxlab-Record :is(.jl-token-number, .jl-token-string) { color: var(--jp-mirror-editor-string-color, color-mix(in srgb, #b5442e 70%, var(--jl-text))); }
.jaxlab-Record .jl-token-type { color: color-mix(in srgb, #8a4fb0 60%, var(--jl-text)); }
.jaxlab-Record .jl-tables { display: flex; flex-wrap: wrap; align-items: flex-start; gap: 4px 22px; margin-top: 4px; }
.jaxlab-Record .jl-table { flex: none; width: auto; max-width: 100%; margin: 0; border: none; border-collapse: collapse; font-size: 12px; table-layout: auto; }
.jaxlab-Record .jl-table caption { padding: 2px 0; font-weight: 600; text-align: left; color: inherit; caption-side: top; }
.jaxlab-Record .jl-table :is(th, td) { padding: 0 12px 0 0; border: none; text-align: left; vertical-align: top; max-width: 340px; overflow-wrap: break-word; background: none; }
.jaxlab-Record .jl-table th { font-weight: normal; color: var(--jl-faint); }
.jaxlab-Record .jl-table td { font-family: var(--jl-mono); }
.jaxlab-Record .jl-table :is(tr, tr:hover, tr:nth-child(odd)) { background: none; }
@media (forced-colors: active) {
  .jaxlab-Record .jl-row.jl-lit { outline: 2px solid Highlight; outline-offset: -2px; }
}
${hueRules}
`;
