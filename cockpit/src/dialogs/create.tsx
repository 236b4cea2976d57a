// SPDX-License-Identifier: LGPL-2.1-or-later
import { Checkbox, Form, FormGroup, FormSelect, FormSelectOption } from "@patternfly/react-core";
import { useState } from "react";

import { store } from "../bus/store";
import type { State } from "../bus/types";
import { gpuName } from "../model/gpus";
import { ActionDialog } from "../parts/action-dialog";
import { format, mib, _ } from "../parts/text";

// A vGPU without a VM.
export function CreateDialog({ state, close }: { state: State; close: () => void }) {
    const gpus = state.gpus.filter(gpu => gpu.profiles?.length);
    const [address, setAddress] = useState(gpus[0]?.address ?? "");
    const [chosen, setProfile] = useState("");
    const [persistent, setPersistent] = useState(false);
    const profiles = gpus.find(gpu => gpu.address === address)?.profiles ?? [];
    const profile = profiles.find(one => one.name === chosen) ?? profiles.find(one => one.available !== 0) ?? profiles[0];

    return (
        <ActionDialog title={_("Create a vGPU without a VM")} action={_("Create")} close={close} disabled={!profile}
            run={() => store.manager.createVgpu(address, profile.name, { persistent })}>
            <Form onSubmit={event => event.preventDefault()}>
                <FormGroup label={_("GPU")} fieldId="gpu">
                    <FormSelect id="gpu" value={address} onChange={(_event, value) => setAddress(value)}>
                        {gpus.map(gpu => (
                            <FormSelectOption key={gpu.address} value={gpu.address} label={`${gpuName(gpu)}, ${gpu.address}`} />
                        ))}
                    </FormSelect>
                </FormGroup>
                <FormGroup label={_("Profile")} fieldId="profile">
                    <FormSelect id="profile" value={profile?.name ?? ""} onChange={(_event, value) => setProfile(value)}>
                        {profiles.map(one => (
                            <FormSelectOption key={one.id} value={one.name} label={
                                one.available === undefined
                                    ? `${one.name}, ${mib(one.framebuffer_mib)}`
                                    : format(_("$0, $1, room for $2"), one.name, mib(one.framebuffer_mib), one.available)
                            } />
                        ))}
                    </FormSelect>
                </FormGroup>
                <Checkbox id="persistent" label={_("Keep it after a reboot")} isChecked={persistent}
                    onChange={(_event, checked) => setPersistent(checked)} />
            </Form>
        </ActionDialog>
    );
}
