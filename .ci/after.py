"After a render: see web.py"
import sys
import web

sys.argv.append('--after')
web.main()
