// SPDX-License-Identifier: LGPL-2.1-or-later
import assert from "node:assert/strict";
import test from "node:test";

import { found, paged, sorted, type Column } from "../src/model/list";

interface Row { name: string; size?: number }
const columns: Column<Row>[] = [{ key: "name", of: row => row.name }, { key: "size", of: row => row.size }];
const rows: Row[] = [{ name: "vm10", size: 2 }, { name: "vm9" }, { name: "VM2", size: 10 }];
const names = (of: Row[]) => of.map(row => row.name);

test("sorted", () => {
    for (const [key, descending, expected] of [
        ["name", false, ["VM2", "vm9", "vm10"]],
        ["name", true, ["vm10", "vm9", "VM2"]],
        ["size", false, ["vm10", "VM2", "vm9"]],
        ["size", true, ["VM2", "vm10", "vm9"]],
        ["unknown", false, ["vm10", "vm9", "VM2"]],
    ] as const)
        assert.deepEqual(names(sorted(rows, columns, { key, descending })), expected, `${key} ${descending}`);
});

test("found", () => {
    for (const [text, expected] of [
        ["", ["vm10", "vm9", "VM2"]],
        ["vm1", ["vm10"]],
        ["vm 10", ["vm10", "VM2"]],
        ["  ", ["vm10", "vm9", "VM2"]],
        ["none", []],
    ] as const)
        assert.deepEqual(names(found(rows, columns, text)), expected, text);
});

test("paged", () => {
    const thousand = Array.from({ length: 1001 }, (_, n) => n);
    for (const [number, size, first, count, page] of [
        [1, 50, 0, 50, 1], [21, 50, 1000, 1, 21], [99, 50, 1000, 1, 21], [0, 50, 0, 50, 1],
    ]) {
        const result = paged(thousand, number, size);
        assert.deepEqual([result.rows[0], result.rows.length, result.number], [first, count, page]);
    }
    assert.deepEqual(paged([], 1, 50), { rows: [], number: 1, total: 0 });
});
