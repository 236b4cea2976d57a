// SPDX-License-Identifier: LGPL-2.1-or-later
// What a start of the VM with these devices would do now.
import { Alert } from "@patternfly/react-core";

import { useAnswer } from "../bus/hooks";
import type { Device, Domain } from "../bus/types";
import { reasons, steps } from "../model/fits";
import { verdictText, _ } from "../parts/text";

export function Plan({ domain, devices }: { domain: Domain; devices: Device[] }) {
    const key = JSON.stringify([domain.uuid, devices]);
    const { value, problem } = useAnswer(manager => manager.explain(domain.uuid, devices, {}), key);

    if (problem)
        return <Alert component="h3" variant="danger" isInline title={_("There is no plan")}>{problem}</Alert>;
    if (!value)
        return <p>{_("Asking for the plan")}</p>;
    return (
        <Alert component="h3" variant={value.possible ? "success" : "warning"} isInline className="vgpu-plan"
            title={value.possible ? _("A start would do this now") : _("A start would be refused now")}>
            {!value.possible && <p>{value.reason}</p>}
            <ul className="vgpu-list">
                {value.possible && steps(value).map(step => <li key={step.index}>{step.text}</li>)}
                {!value.possible && reasons(value).map((one, n) => (
                    <li key={n}>{`${one.gpu} ${verdictText(one.verdict)}${one.reason ? `: ${one.reason}` : ""}`}</li>
                ))}
            </ul>
        </Alert>
    );
}
