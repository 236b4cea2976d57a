// SPDX-License-Identifier: LGPL-2.1-or-later
import { store } from "../bus/store";
import type { Pool } from "../bus/types";
import { ActionDialog } from "../parts/action-dialog";
import { format, ngettext, _ } from "../parts/text";

interface Props {
    pool: Pool;
    close: () => void;
}

function Users({ pool }: { pool: Pool }) {
    return pool.users.length
        ? <p>{ngettext("$0 VM names it or has vGPUs from it.", "$0 VMs name it or have vGPUs from it.", pool.users.length)} {pool.users.join(", ")}</p>
        : null;
}

export function StartPoolDialog({ pool, close }: Props) {
    return (
        <ActionDialog title={format(_("Start the pool $0?"), pool.name)} action={_("Start")} close={close}
            run={() => store.manager.startPool(pool.name)}>
            <p>{_("VMs get vGPUs from it again.")}</p>
        </ActionDialog>
    );
}

export function StopPoolDialog({ pool, close }: Props) {
    return (
        <ActionDialog title={format(_("Stop the pool $0?"), pool.name)} action={_("Stop")} danger close={close}
            run={() => store.manager.stopPool(pool.name)}>
            <p>{_("No VM gets a vGPU from it until it is started. vGPUs that exist stay.")}</p>
            <Users pool={pool} />
        </ActionDialog>
    );
}

export function RefreshPoolDialog({ pool, close }: Props) {
    return (
        <ActionDialog title={format(_("Refresh the pool $0?"), pool.name)} action={_("Refresh")} close={close}
            run={() => store.manager.refreshPool(pool.name)}>
            <p>{_("Its file is read again, its GPUs are looked for, and its driver CD is built again.")}</p>
        </ActionDialog>
    );
}

export function UndefinePoolDialog({ pool, close }: Props) {
    return (
        <ActionDialog title={format(_("Undefine the pool $0?"), pool.name)} action={_("Undefine")} danger close={close}
            run={() => store.manager.undefinePool(pool.name)}>
            <p>{_("Its file is removed. Its GPUs belong to the default pool again.")}</p>
            <Users pool={pool} />
        </ActionDialog>
    );
}

export function AutostartDialog({ pool, on, close }: Props & { on: boolean }) {
    return (
        <ActionDialog title={format(on ? _("Start $0 with the daemon?") : _("No longer start $0 with the daemon?"), pool.name)}
            action={on ? _("Turn on") : _("Turn off")} close={close}
            run={() => store.manager.setPoolAutostart(pool.name, on)}>
            <p>{_("The pool stays as it is until then.")}</p>
        </ActionDialog>
    );
}
