// SPDX-License-Identifier: LGPL-2.1-or-later
import "@patternfly/react-core/dist/styles/base.css";
import "../pkg/lib/cockpit-dark-theme";
import "./page.css";

import { createRoot } from "react-dom/client";

import { App } from "./app";
import { _ } from "./parts/text";

document.documentElement.lang = cockpit.language || "en";
document.title = _("vGPUs");
createRoot(document.getElementById("app")!).render(<App />);
