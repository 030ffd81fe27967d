// Makes one file of it all, which the wheel carries: node build.mjs [where to]

import { copyFileSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const target = process.argv[2] ?? join(here, "../rxws/notebook/static");

mkdirSync(target, { recursive: true });
await build({
  absWorkingDir: here,
  entryPoints: ["src/live.js"],
  outfile: join(target, "live.js"),
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  loader: { ".css": "text" },
  banner: { js: "/*! rxws, MIT. Bundles uPlot 1.6.32, Copyright (c) Leon Sorokin, MIT: see LICENSE.uPlot. */" },
  legalComments: "none",
});
copyFileSync(join(here, "node_modules/uplot/LICENSE"), join(target, "LICENSE.uPlot"));
