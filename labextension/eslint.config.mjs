import js from '@eslint/js';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['dist', 'lib', 'node_modules'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // A slot is connected with its `this` (`signal.connect(this.slot, this)`), which the rule does not see.
      '@typescript-eslint/unbound-method': 'off',
      'no-restricted-properties': [
        'error',
        { property: 'innerHTML', message: "Text from the user's program is data: use textContent." },
        { property: 'outerHTML', message: "Text from the user's program is data: use textContent." },
        { property: 'insertAdjacentHTML', message: "Text from the user's program is data: use textContent." }
      ]
    }
  },
  {
    files: ['tests/**/*.ts'],
    rules: { '@typescript-eslint/no-non-null-assertion': 'off' }
  },
  {
    files: ['build/**/*.mjs', '*.mjs', 'style/*.js'],
    languageOptions: { globals: { console: 'readonly', process: 'readonly', URL: 'readonly' } }
  }
);
