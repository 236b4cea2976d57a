// SPDX-License-Identifier: LGPL-2.1-or-later
import { ActionDialog } from "../parts/action-dialog";
import type { VgpuRow } from "../model/vgpus";
import { format, _ } from "../parts/text";

// A reboot of the guest is not enough: only a new start reads the definition. VMs are Cockpit's Machines page's.
export function RestartDialog({ row, close }: { row: VgpuRow; close: () => void }) {
    return (
        <ActionDialog title={format(_("Shut down and start $0"), row.domain)} action={_("Open Machines")} close={close}
            run={async () => cockpit.jump(`/machines#vm?name=${encodeURIComponent(row.domain)}&connection=system`)}>
            <p>{_("Its vGPUs differ from its definition until it has been shut down and started. A reboot of the guest does not do.")}</p>
            <p className="vgpu-mono">{`virsh shutdown ${row.domain}; virsh start ${row.domain}`}</p>
        </ActionDialog>
    );
}
