import path from 'node:path';
import { AssetHashType, DockerImage } from 'aws-cdk-lib';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { buildSync, type BuildOptions } from 'esbuild';

// This file is infra/constructs/bundle.ts in the repository and dist/infra/constructs/bundle.js in the package.
const home = path.join(import.meta.dirname, '..', '..');
const extension = path.extname(import.meta.filename);

/** Stems of the four entry files. */
export type FunctionStem = 'vend-token' | 'renew-token-sets' | 'dispatch-renewals' | 'manage-accounts';

/** How esbuild makes a function of its entry; `npm run bench` measures bundles made in the same way. */
export const bundling = {
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  // Without `module` first, esbuild takes CommonJS builds of the AWS clients, and those die at start in an ES module.
  mainFields: ['module', 'main'],
  // What is imported when first needed gets files of its own, which a start does not read: the clients of KMS, Lambda and SQS.
  splitting: true,
  outExtension: { '.js': '.mjs' },
  minify: true,
  keepNames: true,
  legalComments: 'none',
  logLevel: 'warning',
  absWorkingDir: home,
} satisfies BuildOptions;

/**
 * Bundles one function: `index.mjs`, and the pieces that it loads when it needs them.
 *
 * @param outdir an empty directory
 */
export function bundleInto(stem: FunctionStem, outdir: string): void {
  buildSync({ ...bundling, entryPoints: { index: path.join(home, 'functions', `${stem}${extension}`) }, outdir });
}

/** @returns the code of a function, bundled on the machine that deploys; the CDK's own bundling cannot split a function */
export function codeOf(stem: FunctionStem): Code {
  return Code.fromAsset(path.join(home, 'functions'), {
    // Of what was built, so that a function is deployed anew when its code has changed and not before.
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      // Never used: bundling on this machine does not fail over to a container. The CDK tells assets apart by these options.
      image: DockerImage.fromRegistry('none'),
      command: ['esbuild', stem],
      local: {
        tryBundle(outdir) {
          bundleInto(stem, outdir);
          return true;
        },
      },
    },
  });
}
