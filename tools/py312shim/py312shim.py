"""Restores ``configparser.SafeConfigParser`` and ``readfp``, removed in Python 3.12, while PyRadiomics is built."""

import configparser

if not hasattr(configparser, "SafeConfigParser"):

    class SafeConfigParser(configparser.ConfigParser):
        def readfp(self, lines, source=None):
            self.read_file(lines, source)

    configparser.SafeConfigParser = SafeConfigParser
