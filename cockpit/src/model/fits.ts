// SPDX-License-Identifier: LGPL-2.1-or-later
// What a VM can be given: pools and profiles with room, and why the others have none.
import type { Device, Explanation, Gpu, State } from "../bus/types";
import { bareName } from "./gpus";

export type WhyNot = "no-room" | "unknown" | "pool-off" | "cordoned" | "obstacle";

export interface Choice {
    key: string;
    pool: string;
    profile: string;
    mib?: number;
    license: string;
    free?: number; // left out: not known
    whyNot?: WhyNot;
    detail: string;
}

function profileFacts(gpus: Gpu[], name: string) {
    const of = gpus.flatMap(gpu => gpu.profiles ?? []).filter(profile => bareName(profile.name) === bareName(name));
    return {
        mib: of[0]?.framebuffer_mib,
        license: of[0]?.needs_license ?? "",
        obstacle: of.every(profile => profile.obstacle) ? of[0]?.obstacle : undefined,
    };
}

export function choices(state: State): Choice[] {
    return state.pools.flatMap(pool => {
        const gpus = state.gpus.filter(gpu => pool.gpus.includes(gpu.address));
        const cordoned = gpus.length > 0 && gpus.every(gpu => gpu.cordoned);
        return pool.profiles.map(profile => {
            const facts = profileFacts(gpus, profile.name);
            const choice: Choice = {
                key: `${pool.name}/${profile.name}`,
                pool: pool.name,
                profile: profile.name,
                mib: facts.mib,
                license: facts.license,
                free: profile.available,
                detail: "",
            };
            if (pool.state !== "active")
                return { ...choice, whyNot: "pool-off" as const };
            if (cordoned)
                return { ...choice, whyNot: "cordoned" as const, detail: gpus[0].cordoned?.reason ?? "" };
            if (facts.obstacle)
                return { ...choice, whyNot: "obstacle" as const, detail: facts.obstacle };
            return profile.available === 0 ? { ...choice, whyNot: "no-room" as const } : choice;
        });
    });
}

export const fitting = (all: Choice[]) => all.filter(choice => !choice.whyNot);
export const notFitting = (all: Choice[]) => all.filter(choice => choice.whyNot);

export interface Options {
    count: number;
    driverIso: boolean;
    frameRateLimit: boolean; // the driver's default: on
    consoleVnc: boolean; // the default: on
    unifiedMemory: boolean;
    debugging: boolean;
    profiling: boolean;
}

export const defaults: Options = {
    count: 1, driverIso: false, frameRateLimit: true, consoleVnc: true, unifiedMemory: false, debugging: false,
    profiling: false,
};

// Options that are left at the default are not written, so that a pool's apply.
export function device(choice: Choice, options: Options): Device {
    return {
        profile: choice.profile,
        ...(choice.pool !== "default" && { pool: choice.pool }),
        ...(options.count > 1 && { count: options.count }),
        ...(options.driverIso && { driver_iso: true }),
        ...(!options.frameRateLimit && { frame_rate_limit: "off" }),
        ...(!options.consoleVnc && { console_vnc: "off" }),
        ...(options.unifiedMemory && { unified_memory: "on" }),
        ...(options.debugging && { debugging: "on" }),
        ...(options.profiling && { profiling: "on" }),
    };
}

export interface Step {
    index: number;
    text: string;
}

// The plan, a line for each vGPU.
export function steps(explanation: Explanation): Step[] {
    return (explanation.plan ?? []).map((text, index) => ({ index, text }));
}

export interface Reason {
    gpu: string;
    verdict: string;
    reason: string;
}

// Why it fits nowhere: each GPU once, those that would do left out.
export function reasons(explanation: Explanation): Reason[] {
    const seen = new Set<string>();
    return (explanation.candidates ?? [])
        .filter(candidate => candidate.verdict !== "fits")
        .map(candidate => ({ gpu: candidate.gpu ?? "", verdict: candidate.verdict, reason: candidate.reason ?? "" }))
        .filter(one => {
            const key = `${one.gpu} ${one.verdict} ${one.reason}`;
            return !seen.has(key) && !!seen.add(key);
        });
}
