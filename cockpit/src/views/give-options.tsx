// SPDX-License-Identifier: LGPL-2.1-or-later
import { Checkbox, ExpandableSection, FormGroup, NumberInput } from "@patternfly/react-core";

import type { Options } from "../model/fits";
import { _ } from "../parts/text";

interface Props {
    options: Options;
    change: (options: Options) => void;
}

const MAX = 16; // a VM takes no more of any profile

export function GiveOptions({ options, change }: Props) {
    const count = (n: number) => change({ ...options, count: Math.min(MAX, Math.max(1, n || 1)) });
    const box = (key: keyof Omit<Options, "count">, label: string) => (
        <Checkbox key={key} id={`option-${key}`} label={label} isChecked={options[key]}
            onChange={(_event, on) => change({ ...options, [key]: on })} />
    );
    return (
        <ExpandableSection toggleText={_("Options")} toggleId="options-toggle" contentId="options">
            <FormGroup label={_("How many")} fieldId="count">
                <NumberInput inputProps={{ id: "count" }} inputAriaLabel={_("How many")} value={options.count} min={1} max={MAX}
                    minusBtnAriaLabel={_("Fewer")} plusBtnAriaLabel={_("More")} onMinus={() => count(options.count - 1)}
                    onPlus={() => count(options.count + 1)}
                    onChange={event => count(Number((event.target as HTMLInputElement).value))} />
            </FormGroup>
            {box("driverIso", _("CD with the guest's driver"))}
            {box("frameRateLimit", _("Frame rate limit"))}
            {box("consoleVnc", _("Console by VNC"))}
            {box("unifiedMemory", _("Unified memory"))}
            {box("debugging", _("Debuggers"))}
            {box("profiling", _("Profilers"))}
        </ExpandableSection>
    );
}
