// SPDX-License-Identifier: LGPL-2.1-or-later
import type { Gpu, GpuStats, Profile, State, Vgpu } from "../bus/types";
import type { Column } from "./list";

export type How = "mig" | "mdev" | "vendor-vfio" | "vf" | "none";
export type Condition = "ok" | "cordoned" | "passed-through" | "obstacle" | "unhealthy";

export interface Segment {
    label: string; // the domain, else the UUID
    profile: string;
    state: string;
    mib: number;
}

export interface Bar {
    segments: Segment[];
    usedMib: number;
    totalMib: number; // 0: not known
}

export interface GpuRow {
    address: string;
    name: string;
    how: How;
    vfsEnabled?: number;
    vfsTotal?: number;
    vgpus: number;
    condition: Condition;
    reason: string;
    bar: Bar;
}

export const gpuColumns: Column<GpuRow>[] = [
    { key: "name", of: row => row.name },
    { key: "address", of: row => row.address },
    { key: "how", of: row => row.how },
    { key: "vfs", of: row => row.vfsEnabled },
    { key: "use", of: row => (row.bar.totalMib ? row.bar.usedMib / row.bar.totalMib : undefined) },
    { key: "vgpus", of: row => row.vgpus },
    { key: "condition", of: row => row.condition },
];

export function how(gpu: Gpu): How {
    return gpu.mig ? "mig" : (gpu.interface as How);
}

export function condition(gpu: Gpu, stats?: GpuStats): [Condition, string] {
    if (gpu.cordoned)
        return ["cordoned", gpu.cordoned.reason ?? ""];
    if (gpu.passed_through)
        return ["passed-through", ""];
    if (stats?.health && stats.health !== "ok")
        return ["unhealthy", stats.health];
    const obstacle = gpu.obstacle ?? gpu.profiles?.find(profile => profile.obstacle)?.obstacle;
    return obstacle ? ["obstacle", obstacle] : ["ok", ""];
}

export function bareName(profile: string): string {
    return profile.replace(/^(NVIDIA|GRID) /, "");
}

function mibOf(gpu: Gpu, vgpu: Vgpu): number {
    const profile = gpu.profiles?.find(one =>
        one.id === vgpu.profile_id || bareName(one.name) === bareName(vgpu.profile ?? ""));
    return profile?.framebuffer_mib ?? 0;
}

// The size of the card is what the profiles that fill it come to, where the driver does not tell.
export function totalMib(gpu: Gpu, stats?: GpuStats): number {
    if (stats?.fb_mib)
        return stats.fb_mib;
    const sizes = (gpu.profiles ?? []).map(profile =>
        (profile.framebuffer_mib ?? 0) * (profile.capacity ?? profile.max_instances ?? 0));
    return Math.max(0, ...sizes);
}

export function bar(gpu: Gpu, vgpus: Vgpu[], stats?: GpuStats): Bar {
    const segments = vgpus
        .filter(vgpu => vgpu.gpu === gpu.address && vgpu.state !== "planned")
        .map(vgpu => ({
            label: vgpu.domain ?? vgpu.uuid ?? vgpu.parent ?? "",
            profile: vgpu.profile ?? "",
            state: vgpu.state,
            mib: mibOf(gpu, vgpu),
        }));
    const usedMib = segments.reduce((sum, segment) => sum + segment.mib, 0);
    const total = totalMib(gpu, stats);
    return { segments, usedMib, totalMib: total && Math.max(total, usedMib) };
}

// The board as its profiles call it, "NVIDIA A2-4Q": A2; cards without profiles have their PCI product.
export function gpuName(gpu: Gpu): string {
    const board = gpu.profiles?.[0] && bareName(gpu.profiles[0].name).replace(/-[^-]*$/, "");
    return gpu.name ?? (board || gpu.product || gpu.address);
}

export function gpuRows(state: State, stats: GpuStats[]): GpuRow[] {
    return state.gpus.map(gpu => {
        const figures = stats.find(one => one.gpu === gpu.address);
        const [is, reason] = condition(gpu, figures);
        return {
            address: gpu.address,
            name: gpuName(gpu),
            how: how(gpu),
            vfsEnabled: gpu.vfs_total ? gpu.vfs_enabled ?? 0 : undefined,
            vfsTotal: gpu.vfs_total || undefined,
            vgpus: gpu.vgpus ?? 0,
            condition: is,
            reason,
            bar: bar(gpu, state.vgpus, figures),
        };
    });
}

export interface ProfileRow {
    id: string;
    name: string;
    mib?: number;
    capacity?: number;
    available?: number;
    license: string;
    purpose: string;
    obstacle: string;
}

export const profileColumns: Column<ProfileRow>[] = [
    { key: "name", of: row => row.name },
    { key: "mib", of: row => row.mib },
    { key: "available", of: row => row.available },
    { key: "license", of: row => row.license },
];

export function profileRow(profile: Profile): ProfileRow {
    return {
        id: profile.id,
        name: profile.name,
        mib: profile.framebuffer_mib,
        capacity: profile.capacity ?? profile.max_instances,
        available: profile.available,
        license: profile.needs_license ?? "",
        purpose: profile.purpose ?? "",
        obstacle: profile.obstacle ?? "",
    };
}
