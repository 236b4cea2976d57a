// SPDX-License-Identifier: LGPL-2.1-or-later
import type { State, Vgpu, VgpuStats } from "../bus/types";
import type { Column } from "./list";

export interface VgpuRow {
    key: string;
    uuid: string;
    domain: string;
    domainUuid: string;
    index?: number;
    profile: string;
    gpu: string;
    parent: string;
    pool: string;
    tenant: string;
    state: string;
    restartNeeded: boolean;
    usedMib?: number;
    totalMib?: number;
    utilization?: number;
    license: string;
    expiry: string;
    destroyable: boolean;
}

export const vgpuColumns: Column<VgpuRow>[] = [
    { key: "domain", of: row => row.domain || undefined },
    { key: "profile", of: row => row.profile },
    { key: "place", of: row => row.parent || row.gpu || undefined },
    { key: "state", of: row => row.state },
    { key: "pool", of: row => row.pool },
    { key: "tenant", of: row => row.tenant || undefined },
    { key: "memory", of: row => row.usedMib },
    { key: "utilization", of: row => row.utilization },
    { key: "license", of: row => row.license || undefined },
    { key: "uuid", of: row => row.uuid },
];

function figuresOf(vgpu: Vgpu, stats: VgpuStats[]): VgpuStats | undefined {
    return stats.find(one =>
        (one.mdev_uuid && one.mdev_uuid === vgpu.uuid) ||
        (one.vf && one.vf === vgpu.parent) ||
        (!one.mdev_uuid && !one.vf && one.vm_uuid === vgpu.domain_uuid && one.gpu === vgpu.gpu));
}

// One without a domain may be destroyed; a foreign one is not ours, and one of a domain goes when that stops.
function destroyable(vgpu: Vgpu): boolean {
    return !!vgpu.uuid && !vgpu.domain && !vgpu.domain_uuid && vgpu.state !== "foreign" && vgpu.state !== "releasing";
}

export function vgpuRows(state: State, stats: VgpuStats[]): VgpuRow[] {
    return state.vgpus.map((vgpu, n) => {
        const figures = vgpu.state === "planned" ? undefined : figuresOf(vgpu, stats);
        return {
            key: vgpu.uuid ?? `${vgpu.domain_uuid ?? vgpu.parent ?? n}:${vgpu.index ?? 0}`,
            uuid: vgpu.uuid ?? "",
            domain: vgpu.domain ?? "",
            domainUuid: vgpu.domain_uuid ?? "",
            index: vgpu.index,
            profile: vgpu.profile ?? vgpu.profile_id ?? "",
            gpu: vgpu.gpu ?? "",
            parent: vgpu.parent ?? "",
            pool: vgpu.pool ?? "",
            tenant: vgpu.tenant ?? "",
            state: vgpu.state,
            restartNeeded: !!vgpu.restart_needed,
            usedMib: figures?.framebuffer_used_mib,
            totalMib: figures?.framebuffer_mib,
            utilization: figures?.gpu_utilization,
            license: figures?.license_state ?? "",
            expiry: figures?.license_expiry ?? "",
            destroyable: destroyable(vgpu),
        };
    });
}
