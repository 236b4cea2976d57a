// SPDX-License-Identifier: LGPL-2.1-or-later
// What org.virtvgpu.Manager1 answers, see data/org.virtvgpu.Manager1.xml. A field that is not known is left out.

export interface Profile {
    gpu: string;
    id: string;
    name: string;
    framebuffer_mib?: number;
    capacity?: number;
    available?: number;
    max_instances?: number;
    needs_license?: string;
    purpose?: string;
    series?: string;
    interface?: string;
    obstacle?: string;
}

export interface Vf {
    address: string;
    state: string;
    profile?: string;
    uuid?: string;
    creatable?: string[];
}

export interface GpuInstance {
    id?: number;
    gi?: number;
    profile?: string;
    size?: number;
    start?: number;
    in_use?: boolean;
    vgpus?: number;
}

export interface Gpu {
    address: string;
    name?: string;
    product?: string;
    driver?: string;
    interface: string;
    numa_node?: number;
    vfs_total?: number;
    vfs_enabled?: number;
    vgpus?: number;
    mig?: boolean;
    mixed?: boolean;
    passed_through?: boolean;
    obstacle?: string;
    cordoned?: { since?: string; reason?: string; by?: string };
    vfs?: Vf[];
    gpu_instances?: GpuInstance[];
    profiles?: Profile[];
}

export interface Vgpu {
    uuid?: string;
    domain?: string;
    domain_uuid?: string;
    index?: number;
    gpu?: string;
    parent?: string;
    profile?: string;
    profile_id?: string;
    interface?: string;
    pool?: string;
    tenant?: string;
    state: string;
    restart_needed?: boolean;
    reason?: string;
}

export interface PoolProfile {
    name: string;
    capacity?: number;
    allocated?: number;
    available?: number;
}

export interface Tenant {
    name: string;
    max?: number;
    used?: number;
    max_mib?: number;
    used_mib?: number;
}

export interface Pool {
    name: string;
    uuid?: string;
    description?: string;
    state: string;
    autostart?: boolean;
    gpus: string[];
    profiles: PoolProfile[];
    tenants: Tenant[];
    users: string[];
    default_profile?: string;
    driver_iso?: string;
    driver_version?: string;
    params_allow?: string;
    params_listed?: string[];
    params_set?: string[];
}

export interface State {
    version: string;
    libvirt_connected: boolean;
    gpus: Gpu[];
    vgpus: Vgpu[];
    pools: Pool[];
}

export interface Domain {
    name: string;
    uuid: string;
    running: boolean;
    persistent: boolean;
    annotated: boolean;
}

export interface VgpuStats {
    gpu?: string;
    mdev_uuid?: string;
    vm_uuid?: string;
    vf?: string;
    framebuffer_mib?: number;
    framebuffer_used_mib?: number;
    gpu_utilization?: number;
    license_state?: string;
    license_expiry?: string;
}

export interface GpuStats {
    gpu: string;
    temperature_c?: number;
    power_w?: number;
    gpu_util?: number;
    mem_util?: number;
    fb_mib?: number;
    fb_used_mib?: number;
    ecc_corrected?: number;
    ecc_uncorrected?: number;
    health?: string;
    driver_version?: string;
}

export interface MigInstance {
    mode?: string;
    gi?: number;
    profile?: string;
    profile_id?: number;
    start?: number;
    size?: number;
    in_use?: boolean;
}

export interface MigProfile {
    mode?: string;
    profile?: string;
    id?: number;
    free?: number;
    total?: number;
    memory_gib?: number;
}

export interface Scheduler {
    policy?: string;
    strict?: string | boolean;
    timeslice_us?: number;
    averaging_factor?: number;
    frequency?: number;
    supported?: string[];
    modprobe?: string;
    note?: string;
}

export interface Check {
    check: string;
    status: string;
    detail?: string;
    fix?: string;
}

export interface PlannedVgpu {
    index: number;
    profile?: string;
    gpu?: string;
    parent?: string;
    state?: string;
    note?: string;
}

export interface Candidate {
    index?: number;
    gpu?: string;
    verdict: string;
    reason?: string;
}

export interface Explanation {
    possible: boolean;
    plan: string[];
    vgpus: PlannedVgpu[];
    candidates: Candidate[];
    reason?: string;
}

export interface BusEvent {
    time: string;
    event: string;
    domain?: string;
    uuid?: string;
    gpu?: string;
    profile?: string;
    pool?: string;
    outcome?: string;
    reason?: string;
    text?: string;
}

// A device of an annotation, for ExplainDevices, SetAnnotation and Attach.
export interface Device {
    profile?: string;
    pool?: string;
    count?: number;
    gpu?: string;
    placement?: string;
    display?: string;
    frame_rate_limit?: string;
    console_vnc?: string;
    unified_memory?: string;
    debugging?: string;
    profiling?: string;
    driver_iso?: boolean;
}
