// SPDX-License-Identifier: LGPL-2.1-or-later
// Words for what the daemon names by codes. A code without a word is shown as it is.

export const _ = (text: string) => cockpit.gettext(text);
export const ngettext = (one: string, many: string, n: number) => cockpit.format(cockpit.ngettext(one, many, n), n);
export const format = (text: string, ...args: unknown[]) => cockpit.format(text, ...args);

const word = (words: Record<string, string>, code: string) => words[code] ?? code;

export const howText = (code: string) => word({
    mig: _("MIG-backed"),
    mdev: _("Mediated devices"),
    "vendor-vfio": _("Vendor-specific VFIO"),
    vf: _("Virtual functions"),
    none: _("Makes no vGPUs"),
}, code);

export const conditionText = (code: string) => word({
    ok: _("Ready"),
    cordoned: _("Cordoned"),
    "passed-through": _("Passed through to a VM"),
    obstacle: _("Cannot be used"),
    unhealthy: _("Needs attention"),
}, code);

export const stateText = (code: string) => word({
    active: _("Active"),
    planned: _("Planned"),
    saved: _("Saved"),
    attaching: _("Attaching"),
    releasing: _("Releasing"),
    failed: _("Failed"),
    stuck: _("Stuck"),
    orphan: _("Without owner"),
    foreign: _("Made by others"),
    inactive: _("Inactive"),
}, code);

export const verdictText = (code: string) => word({
    "no-such-profile": _("does not have the profile"),
    "not-in-pool": _("is not in the pool"),
    "vfs-off": _("virtual functions are off"),
    "other-size": _("is used with another size"),
    "tenant-limit": _("the tenant has its share"),
    "no-room": _("has no room"),
    "passed-through": _("is passed through to a VM"),
    "not-answering": _("does not answer"),
    "libvirt-too-old": _("libvirt is too old"),
    "host-uses-it": _("is used by the host"),
    cordoned: _("is cordoned"),
}, code);

export const whyNotText = (code: string) => word({
    "no-room": _("No room at the moment"),
    "pool-off": _("The pool is not active"),
    cordoned: _("All of its GPUs are cordoned"),
    obstacle: _("Its GPUs cannot be used"),
}, code);

export const outcomeText = (code: string) => word({
    ok: _("Done"),
    failed: _("Failed"),
    refused: _("Refused"),
}, code);

export function mib(amount?: number): string {
    if (amount === undefined)
        return "–";
    const gib = amount / 1024;
    return amount < 1024 ? `${amount} MiB` : `${gib.toLocaleString(cockpit.language || "en", { maximumFractionDigits: 1 })} GiB`;
}

export const percent = (amount?: number) => (amount === undefined ? "–" : `${amount} %`);

export function time(iso: string): string {
    const date = new Date(iso);
    return Number.isNaN(date.getTime()) ? iso : date.toLocaleString(cockpit.language || "en");
}

export function day(iso: string): string {
    const date = new Date(iso);
    return Number.isNaN(date.getTime()) ? iso : date.toLocaleDateString(cockpit.language || "en");
}
