// SPDX-License-Identifier: LGPL-2.1-or-later
import type { BusEvent } from "../bus/types";
import type { Column } from "./list";

export type Outcome = "ok" | "failed" | "refused";

export const eventColumns: Column<BusEvent>[] = [
    { key: "time", of: event => event.time },
    { key: "event", of: event => event.event },
    { key: "subject", of: event => subject(event) || undefined },
    { key: "outcome", of: event => event.outcome },
    { key: "text", of: event => event.reason ?? event.text },
];

// What an event is about.
export function subject(event: BusEvent): string {
    return [event.domain ?? event.uuid, event.profile, event.gpu, event.domain || event.gpu ? undefined : event.pool]
        .filter(Boolean).join(", ");
}

const bad = new Set(["vgpu-failed", "vgpu-lost", "vgpu-stuck", "gpu-gone", "gpu-fault", "domain-contested",
    "libvirt-disconnected", "params-unverified"]);

export function outcome(event: BusEvent): Outcome {
    if (event.outcome === "failed" || event.outcome === "refused")
        return event.outcome;
    if (/-refused$/.test(event.event))
        return "refused";
    return bad.has(event.event) || /-failed$/.test(event.event) ? "failed" : "ok";
}
