// SPDX-License-Identifier: LGPL-2.1-or-later
import { Checkbox, Form, FormGroup, NumberInput } from "@patternfly/react-core";
import { useState } from "react";

import { store } from "../bus/store";
import type { Gpu } from "../bus/types";
import { ActionDialog } from "../parts/action-dialog";
import { format, _ } from "../parts/text";

// Turns virtual functions on or off. A GPU with a vGPU in use is refused by the daemon.
export function VfsDialog({ gpu, close }: { gpu: Gpu; close: () => void }) {
    const on = !!gpu.vfs_enabled;
    const total = gpu.vfs_total ?? 0;
    const [count, setCount] = useState(total);
    const [persistent, setPersistent] = useState(false);
    const change = (value: number) => setCount(Math.min(total, Math.max(1, value || 1)));

    return (
        <ActionDialog danger={on} close={close}
            title={format(on ? _("Turn the virtual functions of $0 off?") : _("Turn virtual functions of $0 on?"), gpu.address)}
            action={on ? _("Turn off") : _("Turn on")}
            run={() => (on
                ? store.manager.disableGpu(gpu.address, { persistent })
                : store.manager.enableGpu(gpu.address, { vfs: count === total ? 0 : count, persistent }))}>
            {on && <p>{_("No VM can get a vGPU of this GPU until they are on again.")}</p>}
            <Form onSubmit={event => event.preventDefault()}>
                {!on && (
                    <FormGroup label={_("How many")} fieldId="vf-count">
                        <NumberInput inputProps={{ id: "vf-count" }} inputAriaLabel={_("How many")} value={count} min={1} max={total}
                            minusBtnAriaLabel={_("Fewer")} plusBtnAriaLabel={_("More")} onMinus={() => change(count - 1)}
                            onPlus={() => change(count + 1)}
                            onChange={event => change(Number((event.target as HTMLInputElement).value))} />
                    </FormGroup>
                )}
                <Checkbox id="persistent" label={_("Also after a reboot")} isChecked={persistent}
                    onChange={(_event, checked) => setPersistent(checked)} />
            </Form>
        </ActionDialog>
    );
}
