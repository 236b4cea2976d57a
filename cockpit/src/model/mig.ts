// SPDX-License-Identifier: LGPL-2.1-or-later
// The GPU instances of a card as slices, and the layout that an editor asks for.
import type { MigInstance, MigProfile } from "../bus/types";

export const SLICES = 8; // of memory; the placements of instances are in these

export interface Slice {
    start: number;
    size: number;
    profile: string; // "": free
    inUse: boolean;
}

// What is free comes as one slice for each gap.
export function slices(instances: MigInstance[]): Slice[] {
    const known = instances
        .filter(one => one.gi !== undefined && one.start !== undefined && one.size)
        .sort((a, b) => a.start! - b.start!);
    const result: Slice[] = [];
    let end = 0;
    for (const one of known) {
        if (one.start! > end)
            result.push({ start: end, size: one.start! - end, profile: "", inUse: false });
        result.push({ start: one.start!, size: one.size!, profile: one.profile ?? "", inUse: !!one.in_use });
        end = one.start! + one.size!;
    }
    if (end < SLICES)
        result.push({ start: end, size: SLICES - end, profile: "", inUse: false });
    return result;
}

export const isOn = (instances: MigInstance[], profiles: MigProfile[]) =>
    instances.some(one => one.gi !== undefined || one.mode === "on") || profiles.some(one => one.mode === "on");

export type Wanted = Record<string, number>;

// How many of each profile there are now.
export function wanted(instances: MigInstance[]): Wanted {
    const result: Wanted = {};
    for (const one of instances) {
        if (one.gi !== undefined && one.profile)
            result[one.profile] = (result[one.profile] ?? 0) + 1;
    }
    return result;
}

// The layout as ApplyMig takes it, large instances first: they have the fewest places.
export function spec(counts: Wanted): string {
    const compute = (profile: string) => Number(profile.match(/^(\d+)g/)?.[1] ?? 0);
    return Object.entries(counts)
        .filter(([, count]) => count > 0)
        .sort(([a], [b]) => compute(b) - compute(a) || a.localeCompare(b))
        .map(([profile, count]) => `${profile}:${count}`)
        .join(",");
}

// Slices of compute that the layout takes; 7 is what there is.
export function computeSlices(counts: Wanted): number {
    return Object.entries(counts).reduce((sum, [profile, count]) =>
        sum + count * Number(profile.match(/^(\d+)g/)?.[1] ?? 0), 0);
}
