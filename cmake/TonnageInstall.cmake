# Install rules: libraries, headers, the command, the CMake package.
