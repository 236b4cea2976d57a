@echo off
rem Puts the client token and the licence settings of this image into their places. The driver itself
rem is not installed. Run it as administrator.
setlocal
set "tokens=%SystemDrive%\Program Files\NVIDIA Corporation\vGPU Licensing\ClientConfigToken"

rem a place of its own for the token, if it is one of Windows
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
