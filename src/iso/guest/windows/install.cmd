@echo off
rem Puts the client token and the licensed feature of this image into their places. The driver itself
rem is not installed. Run it as administrator.
setlocal
set "tokens=%SystemDrive%\Program Files\NVIDIA Corporation\vGPU Licensing\ClientConfigToken"
set "key=HKLM\SOFTWARE\NVIDIA Corporation\Global\GridLicensing"

if not exist "%tokens%\" mkdir "%tokens%" || goto failed
if exist "%~dp0..\client_configuration_token_*.tok" (
    copy /y "%~dp0..\client_configuration_token_*.tok" "%tokens%\" || goto failed
)
for /f "tokens=2 delims==" %%v in ('findstr /b "FeatureType=" "%~dp0..\gridd.conf"') do (
    reg add "%key%" /v FeatureType /t REG_DWORD /d %%v /f || goto failed
)
echo Done. Next: install the driver, and restart the service "NVDisplay.ContainerLocalSystem".
exit /b 0

:failed
echo Failed. Was this run as administrator?
exit /b 1
