// SPDX-License-Identifier: LGPL-2.1-or-later
// What doctor has found. The checks that are fine are counted only.
import { Card, CardBody, CardTitle, DescriptionList, DescriptionListDescription, DescriptionListGroup, DescriptionListTerm } from "@patternfly/react-core";

import { useAnswer } from "../bus/hooks";
import { Status } from "../parts/status";
import { ngettext, _ } from "../parts/text";

const statusText = (status: string) => ({ ok: _("Fine"), warn: _("Warning"), fail: _("Problem") })[status] ?? status;

export function Doctor() {
    const { value, problem } = useAnswer(manager => manager.doctor(), "doctor");
    const findings = (value ?? []).filter(check => check.status !== "ok");

    return (
        <Card id="doctor" component="section">
            <CardTitle component="h2">{_("Findings of doctor")}</CardTitle>
            <CardBody>
                {problem}
                {value && !findings.length && _("Nothing is wrong.")}
                {findings.length > 0 && (
                    <DescriptionList isHorizontal isCompact>
                        {findings.map(check => (
                            <DescriptionListGroup key={check.check}>
                                <DescriptionListTerm>
                                    <Status code={check.status} text={statusText(check.status)} /> {check.check}
                                </DescriptionListTerm>
                                <DescriptionListDescription>
                                    <div>{check.detail}</div>
                                    {check.fix && <div className="vgpu-mono">{check.fix}</div>}
                                </DescriptionListDescription>
                            </DescriptionListGroup>
                        ))}
                    </DescriptionList>
                )}
                {value && <small>{ngettext("$0 check is fine", "$0 checks are fine", value.length - findings.length)}</small>}
            </CardBody>
        </Card>
    );
}
