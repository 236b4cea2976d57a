/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* line-diff.h: what two texts differ in, line by line */
#pragma once

/* In the unified form of diff(1), with @name as that of both; "" when they are alike. */
char *vgpu_line_diff(const char *name, const char *before, const char *after);
