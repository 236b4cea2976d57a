// SPDX-License-Identifier: LGPL-2.1-or-later
// Lists of any length: what is searched, sorted and shown at once.

export type Cell = string | number | undefined;

export interface Column<Row> {
    key: string;
    of: (row: Row) => Cell;
}

export interface Order {
    key: string;
    descending: boolean;
}

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

function compareCells(a: Cell, b: Cell): number {
    if (typeof a === "number" && typeof b === "number")
        return a - b;
    return collator.compare(String(a), String(b));
}

// What is not known comes last, in either direction.
export function sorted<Row>(rows: Row[], columns: Column<Row>[], order: Order): Row[] {
    const column = columns.find(one => one.key === order.key);
    if (!column)
        return rows;
    return [...rows].sort((a, b) => {
        const x = column.of(a);
        const y = column.of(b);
        if (x === undefined || y === undefined)
            return Number(x === undefined) - Number(y === undefined);
        return compareCells(x, y) * (order.descending ? -1 : 1);
    });
}

// Rows that have each word in one of their columns.
export function found<Row>(rows: Row[], columns: Column<Row>[], text: string): Row[] {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    if (!words.length)
        return rows;
    return rows.filter(row => {
        const cells = columns.map(column => String(column.of(row) ?? "").toLowerCase());
        return words.every(word => cells.some(cell => cell.includes(word)));
    });
}

export interface Page<Row> {
    rows: Row[];
    number: number; // from 1
    total: number;
}

// A page beyond the end, as after rows have gone, is the last one.
export function paged<Row>(rows: Row[], number: number, size: number): Page<Row> {
    const last = Math.max(1, Math.ceil(rows.length / size));
    const current = Math.min(Math.max(1, number), last);
    return { rows: rows.slice((current - 1) * size, current * size), number: current, total: rows.length };
}
