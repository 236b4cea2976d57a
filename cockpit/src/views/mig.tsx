// SPDX-License-Identifier: LGPL-2.1-or-later
import { Button, Card, CardBody, CardHeader, CardTitle } from "@patternfly/react-core";
import type { ReactNode } from "react";

import { useAnswer } from "../bus/hooks";
import type { Gpu } from "../bus/types";
import { MigDialog } from "../dialogs/mig";
import { isOn, slices } from "../model/mig";
import { format, _ } from "../parts/text";

// Cards without MIG have no profiles of it, and show nothing.
export function Mig({ gpu, show }: { gpu: Gpu; show: (dialog: ReactNode) => void }) {
    const key = `${gpu.address} ${JSON.stringify(gpu.gpu_instances ?? [])} ${gpu.mig} ${gpu.vgpus}`;
    const instances = useAnswer(manager => manager.mig(gpu.address), key);
    const profiles = useAnswer(manager => manager.migProfiles(gpu.address), key);

    if (!profiles.value?.some(profile => profile.profile) && !gpu.gpu_instances?.length)
        return null;
    const list = instances.value ?? gpu.gpu_instances ?? [];
    const on = gpu.mig || isOn(list, profiles.value ?? []);
    const edit = (
        <Button variant="secondary" isDisabled={!profiles.value}
            onClick={() => show(<MigDialog gpu={gpu} instances={list} profiles={profiles.value ?? []} close={() => show(null)} />)}>
            {_("Change the layout")}
        </Button>
    );
    return (
        <Card id="mig" component="section">
            <CardHeader actions={{ actions: edit, hasNoOffset: true }}>
                <CardTitle component="h2">{_("GPU instances (MIG)")}</CardTitle>
            </CardHeader>
            <CardBody>
                {!on && <p>{_("MIG mode is off.")}</p>}
                {on && (
                    <ul className="vgpu-slices" aria-label={_("Slices")}>
                        {slices(list).map(slice => (
                            <li key={slice.start} className={slice.profile ? "vgpu-instance" : undefined}
                                style={{ gridColumn: `${slice.start + 1} / span ${slice.size}` }}>
                                {slice.profile || format(_("free ($0)"), slice.size)}
                                {slice.inUse && <strong> {_("in use")}</strong>}
                            </li>
                        ))}
                    </ul>
                )}
                {instances.problem && <small>{instances.problem}</small>}
            </CardBody>
        </Card>
    );
}
