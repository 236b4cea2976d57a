/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A library of the right name that can only be started: what a very old NVML would look like.
 *
 * That functions came one after the other, and that dlsym() is how to tell, is what NVIDIA's NVML API
 * reference says of its versions ("Change log"). */
int nvmlInit_v2(void);

int
nvmlInit_v2(void)
{
    return 0;
}
