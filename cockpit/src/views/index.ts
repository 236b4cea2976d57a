// SPDX-License-Identifier: LGPL-2.1-or-later
import type { ComponentType } from "react";

import type { ViewProps } from "../app";
import { _ } from "../parts/text";
import { Events } from "./events";
import { Gpus } from "./gpus";

export const views: { path: string; title: () => string; view: ComponentType<ViewProps> }[] = [
    { path: "gpus", title: () => _("GPUs"), view: Gpus },
    { path: "events", title: () => _("Events"), view: Events },
];
