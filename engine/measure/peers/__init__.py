"""Other runtimes beside this engine, each in a process and, where need be, an interpreter of its own."""
