// SPDX-License-Identifier: LGPL-2.1-or-later
import { Form, FormGroup, TextInput } from "@patternfly/react-core";
import { useState } from "react";

import { store } from "../bus/store";
import type { Gpu } from "../bus/types";
import { ActionDialog } from "../parts/action-dialog";
import { format, ngettext, _ } from "../parts/text";

interface Props {
    gpu: Gpu;
    close: () => void;
}

export function CordonDialog({ gpu, close }: Props) {
    const [reason, setReason] = useState("");
    return (
        <ActionDialog title={format(_("Cordon $0?"), gpu.address)} action={_("Cordon")} close={close}
            run={() => store.manager.cordonGpu(gpu.address, reason)}>
            <p>{_("Nothing new is placed on it from now on, also after a reboot. What runs stays.")}</p>
            <p>{ngettext("$0 vGPU is on it.", "$0 vGPUs are on it.", gpu.vgpus ?? 0)}</p>
            <Form onSubmit={event => event.preventDefault()}>
                <FormGroup label={_("Reason")} fieldId="reason">
                    <TextInput id="reason" value={reason} onChange={(_event, value) => setReason(value)} />
                </FormGroup>
            </Form>
        </ActionDialog>
    );
}

export function UncordonDialog({ gpu, close }: Props) {
    return (
        <ActionDialog title={format(_("Uncordon $0?"), gpu.address)} action={_("Uncordon")} close={close}
            run={() => store.manager.uncordonGpu(gpu.address)}>
            <p>{_("New vGPUs are placed on it again.")}</p>
        </ActionDialog>
    );
}
