// SPDX-License-Identifier: LGPL-2.1-or-later
import type { Pool, State } from "../bus/types";
import type { Column } from "./list";

export interface PoolRow {
    name: string;
    description: string;
    state: string;
    autostart: boolean;
    gpus: number;
    allocated: number;
    users: number;
    builtIn: boolean; // "default": made of the GPUs that no pool has
}

export const poolColumns: Column<PoolRow>[] = [
    { key: "name", of: row => row.name },
    { key: "state", of: row => row.state },
    { key: "gpus", of: row => row.gpus },
    { key: "allocated", of: row => row.allocated },
    { key: "users", of: row => row.users },
];

export const isBuiltIn = (pool: Pool) => pool.name === "default";

export function poolRows(state: State): PoolRow[] {
    return state.pools.map(pool => ({
        name: pool.name,
        description: pool.description ?? "",
        state: pool.state,
        autostart: !!pool.autostart,
        gpus: pool.gpus.length,
        allocated: pool.profiles.reduce((sum, profile) => sum + (profile.allocated ?? 0), 0),
        users: pool.users.length,
        builtIn: isBuiltIn(pool),
    }));
}

export interface Share {
    name: string;
    max?: number;
    maxMib?: number;
}

export interface PoolForm {
    name: string;
    description: string;
    gpus: string[];
    profiles: string[];
    defaultProfile: string;
    policy: "" | "pack" | "spread" | "numa";
    tenants: Share[];
    params: "" | "none" | "any";
}

export const emptyForm: PoolForm = {
    name: "", description: "", gpus: [], profiles: [], defaultProfile: "", policy: "", tenants: [], params: "",
};

function escaped(text: string): string {
    const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", "'": "&apos;", '"': "&quot;" };
    return text.replace(/[&<>'"]/g, character => entities[character]);
}

function element(name: string, attributes: Record<string, string | number | undefined>): string {
    const written = Object.entries(attributes)
        .filter(([, value]) => value !== undefined && value !== "")
        .map(([key, value]) => ` ${key}='${escaped(String(value))}'`);
    return `<${name}${written.join("")}/>`;
}

function block(name: string, lines: string[]): string[] {
    return lines.length ? [`  <${name}>`, ...lines.map(line => `    ${line}`), `  </${name}>`] : [];
}

// The XML that the form stands for, see virt-vgpu-pool(5).
export function poolXml(form: PoolForm): string {
    return [
        "<vgpupool>",
        `  <name>${escaped(form.name)}</name>`,
        ...(form.description ? [`  <description>${escaped(form.description)}</description>`] : []),
        ...block("source", form.gpus.map(address => element("gpu", { address }))),
        ...block("profiles", form.profiles.map(name =>
            element("profile", { name, default: name === form.defaultProfile ? "yes" : undefined }))),
        ...(form.policy ? [`  ${element("placement", { policy: form.policy })}`] : []),
        ...(form.params ? [`  ${element("params", { allow: form.params })}`] : []),
        ...block("tenants", form.tenants.filter(tenant => tenant.name).map(tenant =>
            element("tenant", { name: tenant.name, max: tenant.max, maxMiB: tenant.maxMib }))),
        "</vgpupool>",
        "",
    ].join("\n");
}

export type FormProblem = "no-name" | "bad-name" | "taken" | "no-gpu";

export function formProblem(form: PoolForm, existing: string[]): FormProblem | null {
    if (!form.name)
        return "no-name";
    if (/[/\s]/.test(form.name) || form.name.startsWith("."))
        return "bad-name";
    if (existing.includes(form.name))
        return "taken";
    return form.gpus.length ? null : "no-gpu";
}
