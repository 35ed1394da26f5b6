"""What arrives is fed to the open screens within a second or two, beside the builds."""
