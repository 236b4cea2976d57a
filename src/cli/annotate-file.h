/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* annotate-file.h: annotations in files, for domains that are not defined yet */
#pragma once

#include "cli/command.h"
#include "domain/annotate.h"

/* Annotate the domain in @path ("-": standard input), or all that follow each other there, and print the
 * result, or write it to @output. Two of one name are one domain, and get the same UUID. Returns the exit
 * status. */
int vgpu_annotate_file(const VgpuCli *cli, const char *path, const char *output,
                       const VgpuAnnotateOptions *options, GError **error);
/* The same without annotation. */
int vgpu_annotate_file_strip(const VgpuCli *cli, const char *path, const char *output,
                             GError **error);
