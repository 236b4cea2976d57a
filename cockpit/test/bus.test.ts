// SPDX-License-Identifier: LGPL-2.1-or-later
import assert from "node:assert/strict";
import test from "node:test";

import { coalesced } from "../src/bus/coalesce";
import { dictionary, plain } from "../src/bus/variant";

test("plain", () => {
    for (const [given, expected] of [
        [{ t: "s", v: "a" }, "a"],
        [{ name: { t: "s", v: "a" }, n: { t: "u", v: 1 } }, { name: "a", n: 1 }],
        [{ vfs: { t: "aa{sv}", v: [{ address: { t: "s", v: "0" } }] } }, { vfs: [{ address: "0" }] }],
        [[{ t: { t: "s", v: "x" }, v: { t: "s", v: "y" } }], [{ t: "x", v: "y" }]],
        [null, null],
    ])
        assert.deepEqual(plain(given), expected);
});

test("dictionary", () => {
    assert.deepEqual(dictionary({ s: "a", empty: "", no: undefined, b: false, u: 0, as: ["x"], d: { k: "v" } }), {
        s: { t: "s", v: "a" }, b: { t: "b", v: false }, u: { t: "u", v: 0 }, as: { t: "as", v: ["x"] },
        d: { t: "a{ss}", v: { k: "v" } },
    });
});

test("a burst is one reading, and what came meanwhile one more", async () => {
    const runs: (() => void)[] = [];
    let readings = 0;
    let end = () => {};
    const ask = coalesced(() => { readings++; return new Promise<void>(resolve => { end = resolve; }); },
        run => runs.push(run));
    ask();
    ask();
    ask();
    assert.equal(runs.length, 1);
    runs[0]();
    assert.equal(readings, 1);
    ask();
    ask();
    assert.equal(runs.length, 1);
    end();
    await new Promise(resolve => setImmediate(resolve));
    assert.equal(runs.length, 2);
    runs[1]();
    assert.equal(readings, 2);
    end();
    await new Promise(resolve => setImmediate(resolve));
    assert.equal(runs.length, 2);
});
