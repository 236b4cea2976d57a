/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* line-diff.h: the differences between two texts, line by line */
#pragma once

/* In the unified form of diff(1), with @name as the name of both; "" when they are equal. */
char *vgpu_line_diff(const char *name, const char *before, const char *after);
