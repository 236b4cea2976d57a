// SPDX-License-Identifier: LGPL-2.1-or-later
// Between D-Bus' variants, as Cockpit's bridge writes them in JSON, and plain values.

export interface Variant {
    t: string;
    v: unknown;
}

function isVariant(value: object): value is Variant {
    const keys = Object.keys(value);
    return keys.length === 2 && "t" in value && "v" in value && typeof value.t === "string";
}

// The value without its variants, at any depth.
export function plain(value: unknown): unknown {
    if (Array.isArray(value))
        return value.map(plain);
    if (typeof value !== "object" || value === null)
        return value;
    if (isVariant(value))
        return plain(value.v);
    return Object.fromEntries(Object.entries(value).map(([key, of]) => [key, plain(of)]));
}

export type Option = string | boolean | number | string[] | Record<string, string>;

function signature(value: Option): string {
    if (typeof value === "string")
        return "s";
    if (typeof value === "boolean")
        return "b";
    if (typeof value === "number")
        return "u";
    return Array.isArray(value) ? "as" : "a{ss}";
}

// An a{sv}; what is undefined or empty is left out.
export function dictionary(options: object): Record<string, Variant> {
    const entries = Object.entries(options) as [string, Option | undefined][];
    return Object.fromEntries(entries
        .filter((entry): entry is [string, Option] => entry[1] !== undefined && entry[1] !== "")
        .map(([key, value]) => [key, { t: signature(value), v: value }]));
}
