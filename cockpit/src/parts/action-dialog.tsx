// SPDX-License-Identifier: LGPL-2.1-or-later
// A dialog that does one thing: it stays open with the reason if that is refused.
import { Alert, Button, Modal, ModalBody, ModalFooter, ModalHeader, Stack } from "@patternfly/react-core";
import { useState, type ReactNode } from "react";

import { _ } from "./text";

interface Props {
    title: string;
    action: string;
    danger?: boolean;
    disabled?: boolean;
    size?: "small" | "medium" | "large";
    children: ReactNode;
    run: () => Promise<unknown>;
    close: () => void;
}

export function ActionDialog({ title, action, danger, disabled, size, children, run, close }: Props) {
    const [busy, setBusy] = useState(false);
    const [problem, setProblem] = useState("");

    async function go() {
        setBusy(true);
        setProblem("");
        try {
            await run();
            close();
        } catch (error) {
            setProblem((error as Error).message);
            setBusy(false);
        }
    }

    return (
        <Modal isOpen variant={size ?? "small"} onClose={close} aria-labelledby="dialog-title" id="dialog">
            <ModalHeader title={title} labelId="dialog-title" titleIconVariant={danger ? "warning" : undefined} />
            <ModalBody tabIndex={0} aria-label={title}>
                <Stack hasGutter>
                    {problem && <Alert component="h3" variant="danger" isInline title={_("Refused")} id="dialog-problem">{problem}</Alert>}
                    {children}
                </Stack>
            </ModalBody>
            <ModalFooter>
                <Button variant={danger ? "danger" : "primary"} onClick={() => void go()} isLoading={busy}
                    isDisabled={busy || disabled} id="dialog-action">{action}</Button>
                <Button variant="link" onClick={close}>{_("Cancel")}</Button>
            </ModalFooter>
        </Modal>
    );
}
