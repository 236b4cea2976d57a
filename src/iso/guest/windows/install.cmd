@echo off
rem Installs the client token and the licence settings of this image, but not the driver. Run this
rem script as administrator.
setlocal
set "tokens=%SystemDrive%\Program Files\NVIDIA Corporation\vGPU Licensing\ClientConfigToken"

rem gridd.conf may name another directory for the token; a path of Linux is ignored
set "place="
for /f "usebackq tokens=1,* delims== " %%k in ("%~dp0..\gridd.conf") do (
    if "%%k"=="ClientConfigTokenPath" set "place=%%l"
)
if defined place (
    if "%place:~1,1%"==":" set "tokens=%place%"
    if "%place:~0,2%"=="\\" set "tokens=%place%"
)

if not exist "%tokens%\" mkdir "%tokens%" || goto failed
if exist "%~dp0..\client_configuration_token_*.tok" (
    copy /y "%~dp0..\client_configuration_token_*.tok" "%tokens%\" || goto failed
)
if exist "%~dp0licence.reg" (
    reg import "%~dp0licence.reg" || goto failed
)
echo Done. Next: install the driver, and restart the service "NVDisplay.ContainerLocalSystem".
exit /b 0

:failed
echo Failed. Was this run as administrator?
exit /b 1
