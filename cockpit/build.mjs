// SPDX-License-Identifier: LGPL-2.1-or-later
// Builds the page into dist/, or with --test the tests of the modules without React into dist-test/.
import esbuild from "esbuild";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { locale, readPo } from "./po.mjs";

const here = path.dirname(fileURLToPath(import.meta.url));
process.chdir(here);

// Cockpit has PatternFly's fonts; of ours none is needed.
const fonts = {
    name: "fonts",
    setup(build) {
        build.onLoad({ filter: /styles[/\\]base\.css$/ }, args => ({
            contents: fs.readFileSync(args.path, "utf8").replace(/@font-face\s*{[^}]*}/g, ""),
            loader: "css",
        }));
    },
};

async function page() {
    fs.rmSync("dist", { recursive: true, force: true });
    await esbuild.build({
        absWorkingDir: here,
        bundle: true,
        define: { "process.env.NODE_ENV": '"production"' },
        entryPoints: ["src/index.tsx"],
        external: ["../../static/*"],
        jsx: "automatic",
        legalComments: "external",
        loader: { ".svg": "empty" },
        minify: true,
        outdir: "dist",
        plugins: [fonts],
        target: ["es2020"],
    });
    for (const file of ["index.html", "manifest.json"])
        fs.copyFileSync(`src/${file}`, `dist/${file}`);
    for (const po of fs.readdirSync("po").filter(name => name.endsWith(".po")))
        fs.writeFileSync(`dist/po.${po.slice(0, -3)}.js`, locale(readPo(`po/${po}`)));
}

async function tests() {
    fs.rmSync("dist-test", { recursive: true, force: true });
    await esbuild.build({
        absWorkingDir: here,
        bundle: true,
        entryPoints: fs.readdirSync("test").filter(name => name.endsWith(".test.ts")).map(name => `test/${name}`),
        format: "esm",
        outdir: "dist-test",
        outExtension: { ".js": ".mjs" },
        packages: "external",
        platform: "node",
        target: ["node18"],
    });
}

await (process.argv.includes("--test") ? tests() : page());
