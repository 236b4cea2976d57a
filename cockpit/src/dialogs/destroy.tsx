// SPDX-License-Identifier: LGPL-2.1-or-later
import { store } from "../bus/store";
import type { VgpuRow } from "../model/vgpus";
import { ActionDialog } from "../parts/action-dialog";
import { format, _ } from "../parts/text";

export function DestroyDialog({ row, close }: { row: VgpuRow; close: () => void }) {
    return (
        <ActionDialog title={_("Destroy this vGPU?")} action={_("Destroy")} danger close={close}
            run={() => store.manager.destroyVgpu(row.uuid)}>
            <p>{format(_("$0 on $1"), row.profile, row.parent || row.gpu)}</p>
            <p className="vgpu-mono">{row.uuid}</p>
        </ActionDialog>
    );
}
