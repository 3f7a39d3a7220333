"""Creates whom the workspace lacks, as `slacktivate users activate` does.

usage: sync_slacktivate.py SPECIFICATION URL

Two things stand between slacktivate and a simulator, and both are put aside here: Slack's address is written into its
SCIM client, and it asks Slack's Web API for the workspace's custom fields, of which there are none here.
"""

import sys

import loguru
import slack_scim

specification, url = sys.argv[1:3]
# The default of the only parameter that has one: the base of all addresses.
slack_scim.SCIMClient.__init__.__defaults__ = (url,)

import slacktivate.input.config
import slacktivate.macros.provision
import slacktivate.slack.clients
import slacktivate.slack.methods

loguru.logger.remove()
loguru.logger.add(sys.stderr, level="ERROR")
slacktivate.slack.methods._custom_fields_by_label = {}
slacktivate.slack.clients.login(token="xoxp-bench")

config = slacktivate.input.config.SlacktivateConfig.from_specification(filename=specification)
slacktivate.macros.provision.users_ensure(config)
