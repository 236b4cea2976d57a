// SPDX-License-Identifier: LGPL-2.1-or-later
import assert from "node:assert/strict";
import test from "node:test";

// @ts-expect-error a script of the build
import { compare, locale, marked, parsePo } from "../po.mjs";

const po = `msgid ""
msgstr ""
"Language: de\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

msgid "GPU"
msgstr "GPU"

msgid "$0 GPU"
msgid_plural "$0 GPUs"
msgstr[0] "$0 "
"GPU"
msgstr[1] "$0 GPUs"
`;

test("a po file becomes what cockpit.js loads", () => {
    let loaded: Record<string, unknown> = {};
    new Function("cockpit", locale(parsePo(po)))({ locale: (data: typeof loaded) => { loaded = data; } });
    assert.deepEqual(loaded["$0 GPU"], [null, "$0 GPU", "$0 GPUs"]);
    const head = loaded[""] as { "plural-forms": (n: number) => boolean; language: string };
    assert.deepEqual([head["plural-forms"](1), head["plural-forms"](2), head.language], [false, true, "de"]);
});

test("messages of the sources and of a po file are compared", () => {
    const source = '_("GPU"), ngettext("$0 GPU", "$0 GPUs", n), _("new")';
    assert.deepEqual(marked(source), ["GPU", "new", "$0 GPU"]);
    assert.deepEqual(compare(parsePo(po), new Set(["GPU", "new"])), ['missing: "new"', 'unused: "$0 GPU"']);
});
