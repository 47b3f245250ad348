"""Answers every mention: `python bot.py URL TOKEN` (`pip install Mastodon.py`)."""

import sys

from mastodon import Mastodon, StreamListener

api = Mastodon(api_base_url=sys.argv[1], access_token=sys.argv[2])


class Answer(StreamListener):
    def on_notification(self, told):
        if told.type == "mention":
            api.status_reply(told.status, "Chirp!")


api.stream_user(Answer())
