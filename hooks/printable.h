/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* printable.h: untrusted text in messages of the hook */
#pragma once

/* Make the @len bytes of @line fit for a terminal, in one line; never longer. Their number then. */
int hook_make_printable(char *line, int len);
