/* A library of the right name that can only be started: what a very old NVML would look like. */
int nvmlInit_v2(void);

int
nvmlInit_v2(void)
{
    return 0;
}
