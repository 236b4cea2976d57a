// SPDX-License-Identifier: LGPL-2.1-or-later
import { store } from "../bus/store";
import type { Domain } from "../bus/types";
import { ActionDialog } from "../parts/action-dialog";
import { format, _ } from "../parts/text";

export function ClearDialog({ domain, close }: { domain: Domain; close: () => void }) {
    return (
        <ActionDialog title={format(_("Take the vGPUs of $0 away?"), domain.name)} action={_("Take away")} danger close={close}
            run={() => store.manager.clearAnnotation(domain.uuid)}>
            <p>{_("Its definition no longer has any. A VM that runs keeps them until it stops.")}</p>
        </ActionDialog>
    );
}
