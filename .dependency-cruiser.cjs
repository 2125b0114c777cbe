// Read by test/architecture: which modules there are and what they import, type imports included.
module.exports = {
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: 'kernel/assembly' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
  },
};
