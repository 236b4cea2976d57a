// SPDX-License-Identifier: LGPL-2.1-or-later
import { Checkbox, Form, FormGroup, NumberInput } from "@patternfly/react-core";
import { useState } from "react";

import { store } from "../bus/store";
import type { Gpu, MigInstance, MigProfile } from "../bus/types";
import { computeSlices, spec, wanted } from "../model/mig";
import { ActionDialog } from "../parts/action-dialog";
import { format, _ } from "../parts/text";

interface Props {
    gpu: Gpu;
    instances: MigInstance[];
    profiles: MigProfile[];
    close: () => void;
}

const COMPUTE = 7;

// The complete wanted layout; the driver says what fits beside what.
export function MigDialog({ gpu, instances, profiles, close }: Props) {
    const [counts, setCounts] = useState(() => wanted(instances));
    const [persistent, setPersistent] = useState(false);
    const layout = spec(counts);
    const taken = computeSlices(counts);
    const names = profiles.map(profile => profile.profile).filter((name): name is string => !!name);
    const change = (name: string, value: number) => setCounts({ ...counts, [name]: Math.min(COMPUTE, Math.max(0, value || 0)) });

    return (
        <ActionDialog title={format(_("Change the GPU instances of $0?"), gpu.address)} action={_("Apply")} danger close={close}
            disabled={taken > COMPUTE}
            run={() => (layout
                ? store.manager.applyMig(gpu.address, layout, { persistent })
                : store.manager.clearMig(gpu.address, { off: false, persistent }))}>
            <p>{_("Instances that are not in the new layout are removed. One that is in use is refused.")}</p>
            <Form onSubmit={event => event.preventDefault()}>
                {names.map(name => (
                    <FormGroup key={name} label={name} fieldId={`mig-${name}`}>
                        <NumberInput inputProps={{ id: `mig-${name}` }} inputAriaLabel={name} value={counts[name] ?? 0} min={0} max={COMPUTE}
                            minusBtnAriaLabel={format(_("Fewer $0"), name)} plusBtnAriaLabel={format(_("More $0"), name)}
                            onMinus={() => change(name, (counts[name] ?? 0) - 1)} onPlus={() => change(name, (counts[name] ?? 0) + 1)}
                            onChange={event => change(name, Number((event.target as HTMLInputElement).value))} />
                    </FormGroup>
                ))}
                <p id="mig-sum" role="status">{format(_("$0 of $1 slices of compute"), taken, COMPUTE)}</p>
                <p className="vgpu-mono">{layout || _("no instances")}</p>
                <Checkbox id="persistent" label={_("Also after a reboot")} isChecked={persistent}
                    onChange={(_event, checked) => setPersistent(checked)} />
            </Form>
        </ActionDialog>
    );
}
