// SPDX-License-Identifier: LGPL-2.1-or-later
// What does not fit, with the reason that is known here; the daemon's reasons are asked one at a time.
import { Button, ExpandableSection } from "@patternfly/react-core";
import { useState } from "react";

import type { Domain } from "../bus/types";
import { device, type Choice, type Options } from "../model/fits";
import { ngettext, whyNotText, _ } from "../parts/text";
import { Plan } from "./plan";

export function WhyNotList({ all, domain, options }: { all: Choice[]; domain: Domain; options: Options }) {
    const [asked, setAsked] = useState("");
    if (!all.length)
        return null;
    return (
        <ExpandableSection toggleText={ngettext("$0 profile does not fit", "$0 profiles do not fit", all.length)}
            toggleId="why-not-toggle" contentId="why-not">
            <ul className="vgpu-list">
                {all.map(choice => (
                    <li key={choice.key}>
                        {`${choice.profile} (${choice.pool}): ${whyNotText(choice.whyNot!)}${choice.detail ? `: ${choice.detail}` : ""} `}
                        <Button variant="link" isInline aria-label={`${_("Why not?")} ${choice.profile}`}
                            onClick={() => setAsked(asked === choice.key ? "" : choice.key)}>{_("Why not?")}</Button>
                        {asked === choice.key && <Plan domain={domain} devices={[device(choice, options)]} />}
                    </li>
                ))}
            </ul>
        </ExpandableSection>
    );
}
